/** Log lines as rows of one line each: what a trainer printed comes as many lines at once. */
import type { LogLevel, LogLine } from "../api/types";

export interface LogRow {
  key: string;
  time: number;
  source: LogLine["source"];
  level: LogLevel;
  text: string;
  /** Whether it goes on with the row before it. */
  continued: boolean;
}

// Colours of a terminal say nothing here.
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** What a terminal would show of a line: progress bars overwrite themselves. */
function settled(line: string): string {
  const plain = line.replace(ESCAPES, "").replace(/\r+$/, "");
  return plain.slice(plain.lastIndexOf("\r") + 1);
}

export function rowsOf(lines: readonly LogLine[]): LogRow[] {
  return lines.flatMap(({ cursor, time, source, level, message }) =>
    message
      .replace(/\n+$/, "")
      .split("\n")
      .map((line, i) => ({
        key: `${cursor}.${i}`,
        time,
        source,
        level,
        text: settled(line),
        continued: i > 0,
      })),
  );
}

/** A row as text, with its time and level. */
export function plainRow(row: LogRow): string {
  const kind = row.source === "output" ? "OUTPUT" : row.level.toUpperCase();
  return `${new Date(row.time * 1000).toISOString()} ${kind.padEnd(7)} ${row.text}`;
}
