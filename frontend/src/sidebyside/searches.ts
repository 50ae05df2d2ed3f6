/** What the pages of comparisons keep in their addresses. */
import { type Defined, defined, flag, type RawSearch, text, whole } from "../lib/search";

export const sideBySideSearch = (raw: RawSearch) =>
  defined({
    /** Runs to begin with, and a question of an evaluation (`run:cursor`). */
    runs: text(raw.runs),
    checkpoint: whole(raw.checkpoint, 1),
    evaluation: text(raw.evaluation),
    question: whole(raw.question, 0),
    /** The comparison that is changed. */
    from: text(raw.from),
    q: text(raw.q),
    saved: flag(raw.saved),
    page: whole(raw.page, 2),
  });
export type SideBySideSearch = Defined<ReturnType<typeof sideBySideSearch>>;

export const comparisonSearch = (raw: RawSearch) =>
  defined({
    sample: whole(raw.sample, 1),
    /** Column that differences are marked against; `plain`: none are. */
    against: whole(raw.against, 1),
    plain: flag(raw.plain),
    /** Column whose tokens are shown, and the one that is chosen. */
    tokens: whole(raw.tokens, 0),
    token: whole(raw.token, 0),
  });
export type ComparisonSearch = Defined<ReturnType<typeof comparisonSearch>>;
