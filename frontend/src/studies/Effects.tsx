import type { Effect, StudyDetail } from "./api";
import { effectNote, estimate, halfWidth, namedLevels, scaleOf, withInterval } from "./figures";
import { IntervalStrip, ScaleAxis } from "./IntervalStrip";

/** What each level changes, and how levels of two factors work on each other. */
export function Effects({ study, metric }: { study: StudyDetail; metric: string }) {
  const found = study.report.effects.find((one) => one.metric === metric)?.effects ?? [];
  const mains = found.filter((effect) => effect.kind === "main");
  const pairs = found.filter((effect) => effect.kind === "interaction");
  if (Object.keys(study.factors).length === 0) return null;
  return (
    <div className={`grid gap-4 ${pairs.length ? "2xl:grid-cols-2" : ""}`}>
      <EffectTable
        title="Main effects"
        words="Difference of a level from its baseline, averaged over all combinations of the other factors."
        effects={mains}
      />
      {pairs.length > 0 && (
        <EffectTable
          title="Interactions"
          words="How much larger a level’s difference is at another factor’s level than at that factor’s baseline."
          effects={pairs}
        />
      )}
    </div>
  );
}

interface EffectTableProps {
  title: string;
  words: string;
  effects: Effect[];
}

function EffectTable({ title, words, effects }: EffectTableProps) {
  const known = effects.filter((effect) => effect.interval.estimate !== null);
  const scale = scaleOf(
    known.map((effect) => effect.interval),
    [0],
  );
  const head = "h-9 px-3 whitespace-nowrap";
  return (
    <section aria-label={title} className="panel break-inside-avoid overflow-hidden">
      <header className="border-line border-b px-4 py-2.5">
        <h2 className="font-semibold text-lg">{title}</h2>
        <p className="text-muted text-sm">{words}</p>
      </header>
      {known.length === 0 ? (
        <p className="px-4 py-5 text-muted">
          Nothing can be told yet: the cells that it compares have no result.
        </p>
      ) : (
        <div className="overflow-x-auto">
          <table className="w-full border-collapse text-left">
            <thead>
              <tr className="eyebrow border-line border-b">
                <th scope="col" className={`${head} pl-4`}>
                  Level
                </th>
                <th scope="col" className={`${head} text-right`}>
                  Difference
                </th>
                <th scope="col" className={`${head} w-1/2 min-w-56 pr-6`}>
                  <span className="sr-only">On a scale</span>
                  {scale && <ScaleAxis scale={scale} />}
                </th>
              </tr>
            </thead>
            <tbody>
              {effects.map((effect) => (
                <Row key={namedLevels(effect.levels)} effect={effect} scale={scale} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {known.length > 0 && (
        <p className="border-line border-t px-4 py-2 text-faint text-sm">
          Filled where the 95 % interval leaves out zero. Nothing is adjusted for how many effects
          one looks at.
        </p>
      )}
    </section>
  );
}

interface RowProps {
  effect: Effect;
  scale: ReturnType<typeof scaleOf>;
}

function Row({ effect, scale }: RowProps) {
  const { interval } = effect;
  const name = namedLevels(effect.levels);
  const holdsZero =
    interval.low == null || interval.high == null || (interval.low <= 0 && interval.high >= 0);
  const half = halfWidth(interval);
  const note = effectNote(effect);
  return (
    <tr className="border-line border-b last:border-b-0" data-testid="effect">
      <th scope="row" className="px-3 py-2 pl-4 font-normal">
        <span className="font-medium">{name.replaceAll(", ", " and ")}</span>
        <span className="block text-faint text-sm">against {namedLevels(effect.baselines)}</span>
        {note && <span className="block text-sm text-warn first-letter:uppercase">{note}</span>}
      </th>
      <td className="whitespace-nowrap px-3 py-2 text-right tabular-nums">
        <span className={holdsZero ? "" : "font-semibold"}>{estimate(interval, true)}</span>{" "}
        {half && <span className="text-muted">{half}</span>}
      </td>
      <td className="py-1 pr-6 pl-3">
        {scale && (
          <IntervalStrip
            interval={interval}
            scale={scale}
            reference={0}
            hollow={holdsZero}
            label={`${name}: ${withInterval(interval, true)}`}
          />
        )}
      </td>
    </tr>
  );
}
