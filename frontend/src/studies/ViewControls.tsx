import { useId } from "react";
import { Segmented } from "../components/ui";
import type { StudyTable } from "./api";
import type { StudyProps } from "./StudyPage";
import { againstOf, layoutOf, type Role, rolesOf } from "./view";

interface ViewControlsProps extends StudyProps {
  metric: string;
  table: StudyTable | undefined;
}

/** Which outcome is shown, where each factor stands, and what is compared with what. */
export function ViewControls({ study, search, onSearch, metric, table }: ViewControlsProps) {
  const factors = Object.keys(study.factors);
  const roles = table ? rolesOf(table, factors) : {};
  const setRole = (factor: string, role: Role) =>
    onSearch({ ...layoutOf({ ...roles, [factor]: role }), cell: undefined });
  const setBaseline = (factor: string, level: string) =>
    onSearch({
      against: againstOf({ ...study.report.baselines, [factor]: level }, study.baselines),
    });
  return (
    <section aria-label="View" className="flex flex-wrap items-end gap-x-4 gap-y-3 print:hidden">
      <MetricSelect study={study} metric={metric} onChange={(next) => onSearch({ metric: next })} />
      <Segmented
        label="Shown"
        value={search.show ?? "final"}
        options={[
          { value: "final", label: "Last value" },
          { value: "gain", label: "Gain", title: "The last value less the first" },
        ]}
        onChange={(show) => onSearch({ show: show === "gain" ? "gain" : undefined })}
      />
      {factors.map((factor) => (
        <FactorControl
          key={factor}
          factor={factor}
          levels={study.factors[factor] ?? []}
          role={roles[factor]}
          baseline={study.report.baselines[factor] ?? ""}
          onRole={(role) => setRole(factor, role)}
          onBaseline={(level) => setBaseline(factor, level)}
        />
      ))}
    </section>
  );
}

interface MetricSelectProps {
  study: StudyProps["study"];
  metric: string;
  onChange: (metric: string | undefined) => void;
}

function MetricSelect({ study, metric, onChange }: MetricSelectProps) {
  const id = useId();
  const asked = study.report.metrics;
  const others = study.metrics.filter((name) => !asked.includes(name));
  const known = [...asked, ...others];
  return (
    <label htmlFor={id} className="flex min-w-0 flex-col gap-1">
      <span className="eyebrow">Metric</span>
      <select
        id={id}
        value={metric}
        onChange={(event) => onChange(event.target.value)}
        className="control max-w-72"
      >
        {!known.includes(metric) && <option value={metric}>{metric}</option>}
        <optgroup label="Compared">
          {asked.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </optgroup>
        {others.length > 0 && (
          <optgroup label="Also reported">
            {others.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </optgroup>
        )}
      </select>
    </label>
  );
}

interface FactorControlProps {
  factor: string;
  levels: string[];
  role: Role | undefined;
  baseline: string;
  onRole: (role: Role) => void;
  onBaseline: (level: string) => void;
}

function FactorControl(props: FactorControlProps) {
  const { factor, levels, role, baseline } = props;
  const id = useId();
  return (
    <fieldset className="flex flex-col gap-1">
      <legend className="eyebrow mb-1 max-w-56 truncate" title={factor}>
        {factor}
      </legend>
      <div className="flex">
        <label htmlFor={`${id}-role`} className="sr-only">
          Where {factor} stands
        </label>
        <select
          id={`${id}-role`}
          value={role ?? ""}
          disabled={role === undefined}
          onChange={(event) => props.onRole(event.target.value as Role)}
          className="control rounded-r-none!"
        >
          {role === undefined && <option value="">…</option>}
          <option value="row">in rows</option>
          <option value="column">in columns</option>
          <option value="average">averaged</option>
          {levels.map((level) => (
            <option key={level} value={`=${level}`}>
              only {level}
            </option>
          ))}
        </select>
        <label htmlFor={`${id}-baseline`} className="sr-only">
          Baseline of {factor}
        </label>
        <select
          id={`${id}-baseline`}
          value={baseline}
          title="What its other levels are compared with"
          onChange={(event) => props.onBaseline(event.target.value)}
          className="control -ml-px rounded-l-none!"
        >
          {levels.map((level) => (
            <option key={level} value={level}>
              against {level}
            </option>
          ))}
        </select>
      </div>
    </fieldset>
  );
}
