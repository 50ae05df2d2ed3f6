import type { ReactNode } from "react";

const S = () => (
  <>
    <i>p</i>
    <sub>S</sub>
  </>
);
const T = () => (
  <>
    <i>p</i>
    <sub>T</sub>
  </>
);

interface Case {
  name: string;
  maths: ReactNode;
  words: string;
}

function describe(alpha: number): Case {
  if (alpha === 0) {
    return {
      name: "Forward KL",
      maths: (
        <>
          KL(
          <T /> ‖ <S />)
        </>
      ),
      words:
        "The student is pulled to put probability wherever the teacher does: it covers every answer that the teacher finds plausible.",
    };
  }
  if (alpha === 1) {
    return {
      name: "Reverse KL",
      maths: (
        <>
          KL(
          <S /> ‖ <T />)
        </>
      ),
      words:
        "The student is pushed away from what the teacher finds unlikely: it settles on answers that the teacher approves of.",
    };
  }
  const a = +alpha.toFixed(3);
  const rest = +(1 - alpha).toFixed(3);
  return {
    name: "Generalized Jensen–Shannon",
    maths: (
      <>
        {a} KL(
        <T /> ‖ <i>m</i>) + {rest} KL(
        <S /> ‖ <i>m</i>), <i>m</i> = {rest} <S /> + {a} <T />
      </>
    ),
    words:
      "Student and teacher are both compared with their mixture: bounded, so that no single token can dominate.",
  };
}

/** What is minimised, for the alpha that stands in the field. */
export function Formula({ alpha }: { alpha: string | boolean | undefined }) {
  const value = typeof alpha === "string" && alpha.trim() !== "" ? Number(alpha) : Number.NaN;
  if (!(value >= 0 && value <= 1)) return null;
  const { name, maths, words } = describe(value);
  return (
    <div data-testid="formula" className="border-line border-b bg-sunken px-4 py-3.5">
      <p className="overflow-x-auto whitespace-nowrap font-serif text-[17px] leading-8">
        <i>L</i> = E
        <sub className="text-[11px]">
          <i>y</i> ∼ student
        </sub>{" "}
        <span className="inline-flex flex-col items-center align-middle text-[13px] leading-4">
          <span className="border-current border-b px-0.5">1</span>
          <span>
            |<i>y</i>|
          </span>
        </span>{" "}
        Σ<sub className="text-[11px] italic">t</sub> {maths}
      </p>
      <p className="mt-1.5 text-muted text-sm">
        <span className="font-medium text-ink">{name}.</span> {words} <S /> is the student at token{" "}
        <i>t</i> of its own answer <i>y</i>; <T /> is the same network, shown the worked solution.
      </p>
    </div>
  );
}
