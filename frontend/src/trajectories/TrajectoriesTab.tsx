import type { RunDetail } from "../api/types";
import { Segmented } from "../components/ui";
import type { RunSearch } from "../searches";
import { AgreementView } from "./AgreementView";
import { Beside } from "./Beside";
import { Reader } from "./Reader";
import { TrajectoryList } from "./TrajectoryList";

export interface TrajectoriesProps {
  run: RunDetail;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>, push?: boolean) => void;
}

const VIEWS = [
  { value: "list", label: "Rollouts" },
  { value: "agreement", label: "Agreement", title: "Where the teachers disagree" },
] as const;

export function TrajectoriesTab(props: TrajectoriesProps) {
  const { search, onSearch } = props;
  if (search.trajectory !== undefined) {
    return (
      <>
        <Beside {...props} />
        <Reader {...props} />
      </>
    );
  }
  const views = (
    <Segmented
      label="View"
      value={search.show ?? "list"}
      options={VIEWS}
      onChange={(show) => onSearch({ show: show === "agreement" ? show : undefined }, true)}
    />
  );
  return search.show === "agreement" ? (
    <AgreementView {...props} views={views} />
  ) : (
    <TrajectoryList {...props} views={views} />
  );
}
