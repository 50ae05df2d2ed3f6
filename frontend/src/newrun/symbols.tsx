interface SymbolProps {
  children: string;
  sub?: string;
}

/** A letter of the formula. */
export const V = ({ children, sub }: SymbolProps) => (
  <>
    <i>{children}</i>
    {sub && <sub className="text-[0.7em]">{sub}</sub>}
  </>
);
/** The student. */
export const S = () => <V sub="S">p</V>;
/** The teacher. */
export const T = () => <V sub="T">p</V>;
