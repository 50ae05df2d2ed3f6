import { Dialog } from "../components/Dialog";
import { Kbd } from "../components/ui";

const GROUPS: { title: string; keys: [string[], string][] }[] = [
  {
    title: "Anywhere",
    keys: [
      [["Ctrl", "K"], "Search runs and pages"],
      [["g", "r"], "Runs"],
      [["g", "d"], "Datasets"],
      [["g", "q"], "Queue"],
      [["g", "w"], "Workers"],
      [["n"], "New run"],
      [["["], "Fold the navigation"],
      [["t"], "Theme: system, light, dark"],
      [["?"], "This list"],
    ],
  },
  {
    title: "Runs",
    keys: [
      [["/"], "Search by name"],
      [["j", "k"], "Next, previous run; arrows do, too"],
      [["Home", "End"], "First, last run"],
      [["Enter"], "Open the run, or a group"],
      [["x"], "Select the run; the space bar does, too"],
      [["Shift", "↓"], "Select the next one, too"],
      [["Ctrl", "A"], "Select all of the list"],
      [["c"], "Compare the selected runs"],
      [["#"], "Delete the selected runs"],
      [["Esc"], "Select none"],
    ],
  },
  {
    title: "Run",
    keys: [
      [["1", "–", "6"], "The run's tabs, from charts to system"],
      [["l"], "Logarithmic y axis"],
      [["x"], "Next x axis"],
    ],
  },
  {
    title: "Trajectory",
    keys: [
      [["←", "→"], "Previous, next token"],
      [["d"], "Next token by the coloured quantity"],
      [["Shift", "D"], "Previous one"],
      [["Esc"], "Back to the list"],
    ],
  },
];

export function KeyboardHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose} width="w-[640px]">
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        {GROUPS.map((group) => (
          <section key={group.title}>
            <h3 className="eyebrow mb-2">{group.title}</h3>
            <dl className="flex flex-col gap-1.5">
              {group.keys.map(([keys, words]) => (
                <div key={words} className="flex items-center justify-between gap-3">
                  <dt className="text-muted text-sm">{words}</dt>
                  <dd className="flex shrink-0 gap-1">
                    {keys.map((key) =>
                      key === "–" ? <span key={key}>–</span> : <Kbd key={key}>{key}</Kbd>,
                    )}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
