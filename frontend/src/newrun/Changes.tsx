import type { Change } from "./changes";
import { fullTitle } from "./schema";

interface ChangesProps {
  original: string;
  changes: readonly Change[];
  onOpen: (path: string) => void;
}

/** What a clone changes against its original. */
export function Changes({ original, changes, onOpen }: ChangesProps) {
  return (
    <section className="panel" aria-label="Changes against the original">
      <h2 className="border-line border-b px-4 py-2.5 font-semibold">
        Changed <span className="font-normal text-muted">against {original}</span>
      </h2>
      {changes.length === 0 ? (
        <p className="px-4 py-2.5 text-muted">Nothing yet: it would be the same run again.</p>
      ) : (
        <ul className="flex max-h-72 flex-col gap-1.5 overflow-y-auto px-4 py-2.5">
          {changes.map(({ path, before, after }) => (
            <li key={path}>
              <a
                href={`#field-${path}`}
                onClick={(event) => {
                  event.preventDefault();
                  onOpen(path);
                }}
                className="underline decoration-line-strong underline-offset-2 hover:decoration-current"
              >
                {fullTitle(path)}
              </a>
              <p className="flex flex-wrap gap-x-2 font-mono text-sm">
                <del className="line-clamp-2 min-w-0 break-words text-muted" title={before}>
                  {before}
                </del>
                <ins className="line-clamp-2 min-w-0 break-words no-underline" title={after}>
                  {after}
                </ins>
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
