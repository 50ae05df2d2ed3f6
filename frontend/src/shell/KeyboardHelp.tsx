import { Dialog } from "../components/Dialog";
import { Kbd } from "../components/ui";
import { type KeyGroup, useKeyGroups } from "../lib/keys";
import { PLACES } from "./places";

const ANYWHERE: KeyGroup = {
  title: "Anywhere",
  keys: [
    [["Ctrl", "K"], "Search everything"],
    [["n"], "New run"],
    [["["], "Fold the navigation"],
    [["t"], "Theme: system, light, dark"],
    [["?"], "This list"],
    [["Esc"], "Close what is open"],
  ],
};

const GO: KeyGroup = {
  title: "Go to",
  keys: PLACES.map(({ key, label }) => [["g", key], label] as const),
};

/** The keys of the page that is open, then those that work anywhere. */
export function KeyboardHelp({ onClose }: { onClose: () => void }) {
  const groups = [...useKeyGroups(), ANYWHERE, GO];
  return (
    <Dialog title="Keyboard" onClose={onClose} width="w-[640px]">
      <div className="gap-8 sm:columns-2">
        {groups.map((group) => (
          <section key={group.title} className="mb-5 break-inside-avoid">
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
