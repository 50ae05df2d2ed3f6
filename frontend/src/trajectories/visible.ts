/** Tokens that one would not see, made visible. */

const NAMES: Record<string, string> = {
  "\n": "⏎",
  "\r": "␍",
  "\t": "⇥",
  "\u00a0": "⍽",
};
/** Controls, formats, separators and odd spaces: all that has no ink of its own. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0\u2000-\u200a\u202f\u205f\u3000]/gu;

const spelled = (sign: string) =>
  NAMES[sign] ?? `⟨${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;

/** What joins two signs to one stays within a text that one sees. */
const joins = (sign: string, text: string) =>
  (sign === "\u200d" || sign === "\u200c") && text.replaceAll(UNSEEN, "") !== "";

/** For running text: spaces stay spaces unless the token is nothing else; lines still break. */
export function visible(text: string): string {
  if (text === "") return "∅";
  const shown = text.replaceAll(UNSEEN, (sign) => {
    if (joins(sign, text)) return sign;
    return sign === "\n" ? "⏎\n" : spelled(sign);
  });
  return text.trim() === "" ? shown.replaceAll(" ", "␣") : shown;
}

/** On one line, every space marked. */
export function quoted(text: string): string {
  if (text === "") return "∅";
  return text
    .replaceAll(UNSEEN, (sign) => (joins(sign, text) ? sign : spelled(sign)))
    .replaceAll(" ", "␣");
}

/** For those who hear it: the sign that stands there and its name; undefined where the text will do. */
export function spoken(text: string): string | undefined {
  const name = nameOf(text);
  return name && `${visible(text).replaceAll("\n", "")} ${name}`;
}

function nameOf(text: string): string | undefined {
  if (text === "") return "empty token";
  if (text.trim() === "") return text.includes("\n") ? "line break" : "space";
  return text.replaceAll(UNSEEN, "") === "" ? "invisible sign" : undefined;
}
