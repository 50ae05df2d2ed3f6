import { Fragment } from "react";
import { divergenceName, type Loss, lossOf, type Source } from "./loss";
import { S, T, V } from "./symbols";
import type { FormValues } from "./values";
import { Where } from "./Where";

/** What is minimised, for the values that stand in the form. */
export function Formula({ values }: { values: FormValues }) {
  const loss = lossOf(values);
  if (!loss) return null;
  return (
    <div data-testid="formula" className="border-line border-b bg-sunken px-4 py-3.5">
      <p className="font-serif text-[17px] leading-8">
        <span className="inline-block whitespace-nowrap">
          <i>L</i> = E
          <sub className="text-[11px]">
            <i>y</i> ∼ {SOURCES[loss.source].symbol}
          </sub>{" "}
          <span className="inline-flex flex-col items-center align-middle text-[13px] leading-4">
            <span className="border-current border-b px-0.5">1</span>
            <span>
              |<i>y</i>|
            </span>
          </span>{" "}
          Σ<sub className="text-[11px] italic">t</sub>
        </span>{" "}
        <Terms loss={loss} />
      </p>
      <p className="mt-1.5 text-muted text-sm">
        <Main loss={loss} />
      </p>
      <Where loss={loss} />
    </div>
  );
}

const SOURCES: Record<Source, { symbol: string; words: string }> = {
  rollout: { symbol: "student", words: "its own answer" },
  reference: { symbol: "data", words: "the data's answer" },
  mixed: { symbol: "student or data", words: "its own answer or the data's" },
  presampled: { symbol: "base model", words: "an answer that the base model sampled once" },
};

/** The terms of a token, the main one first; a line breaks between them only. */
function Terms({ loss }: { loss: Loss }) {
  const { contrastive, features } = loss;
  const pulled = features && <Features key="features" weight={features.weight} />;
  const terms = [
    loss.crossEntropy && <Imitation key="imitation" />,
    loss.alpha !== null && <Divergence key="divergence" loss={loss} alpha={loss.alpha} />,
    features?.weight === null && pulled,
    contrastive && <Contrast key="contrast" {...contrastive} />,
    features?.weight !== null && pulled,
  ].filter(Boolean);
  const several = terms.length > 1;
  return terms.map((term, i) => (
    <Fragment key={i}>
      {i > 0 && " "}
      <span className="inline-block whitespace-nowrap">
        {i > 0 ? "+ " : several && "["}
        {term}
        {several && i === terms.length - 1 && "]"}
      </span>
    </Fragment>
  ));
}

function Imitation() {
  return (
    <>
      −log <S />(<V sub="t">y</V>)
    </>
  );
}

function Contrast({ weight, margin }: { weight: string; margin: string }) {
  return (
    <>
      {weight} · max(0, {margin} + |<V>s</V> − <V>t</V>| − |<V>s</V> − <V>n</V>|)
    </>
  );
}

function Features({ weight }: { weight: string | null }) {
  return (
    <>
      {weight !== null && `${weight} · `}mean (<V sub="S">h</V> − <V sub="T">h</V>)²
    </>
  );
}

function Divergence({ loss, alpha }: { loss: Loss; alpha: number }) {
  const { agreement, ceiling } = loss;
  const [first, second] =
    alpha === 1 ? [<S key="s" />, <T key="t" />] : [<T key="t" />, <S key="s" />];
  const plain = (
    <>
      {alpha === 0 || alpha === 1 ? (
        "KL"
      ) : (
        <>
          JSD<sub className="text-[0.7em]">{alpha}</sub>
        </>
      )}
      ({first} ‖ {second})
    </>
  );
  return (
    <>
      {agreement && (
        <>
          <V sub={agreement.level === "token" ? "t" : ""}>w</V>
          {agreement.normalized && (
            <>
              /<V>w̄</V>
            </>
          )}
          {" · "}
        </>
      )}
      {ceiling ? (
        <>
          min({plain}, {ceiling.quantile ? <V>c</V> : ceiling.text})
        </>
      ) : (
        plain
      )}
    </>
  );
}

/** What the main term does to the student. */
function Main({ loss }: { loss: Loss }) {
  const { words } = SOURCES[loss.source];
  const student = (
    <>
      <S /> is the student at token <i>t</i> of {words} <i>y</i>
    </>
  );
  if (loss.crossEntropy) {
    return (
      <>
        <b className="font-medium text-ink">Cross-entropy.</b> The student imitates the completion
        token by token, without a teacher. {student}.
      </>
    );
  }
  if (loss.alpha === null) {
    return (
      <>
        <b className="font-medium text-ink">Feature matching in the divergence's place.</b> The
        student's final hidden states are drawn to those of the teacher, token by token of {words}{" "}
        <i>y</i>.
      </>
    );
  }
  return (
    <>
      <b className="font-medium text-ink">{divergenceName(loss.alpha)}.</b> {effectOf(loss.alpha)}{" "}
      {student}; <T /> is the same network, shown the worked solution.
    </>
  );
}

function effectOf(alpha: number): string {
  if (alpha === 0) {
    return "The student is pulled to put probability wherever the teacher does: it covers every answer that the teacher finds plausible.";
  }
  if (alpha === 1) {
    return "The student is pushed away from what the teacher finds unlikely: it settles on answers that the teacher approves of.";
  }
  return "Student and teacher are both compared with their mixture: bounded, so that no single token can dominate.";
}
