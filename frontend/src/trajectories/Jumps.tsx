import { ChevronLeft, ChevronRight } from "lucide-react";
import { useMemo } from "react";
import type { TrajectoryDetail } from "../api/types";
import { Button, IconButton } from "../components/ui";
import { integer, UNKNOWN } from "../lib/format";
import { useKeys } from "../lib/hooks";
import { LOOKS } from "./colours";
import { useCursor, usePlace } from "./cursor";
import { type Ranks, ranksOf, stepped } from "./ranks";
import type { Quantity } from "./search";

interface JumpsProps {
  item: TrajectoryDetail;
  by: Quantity;
  /** By the coloured quantity. */
  ranks: Ranks;
}

/** From token to token in the order of what colours them, of divergence and of disagreement. */
export function Jumps({ item, by, ranks }: JumpsProps) {
  const cursor = useCursor();
  const recorded = useMemo(() => {
    const of = (name: Quantity) => ranksOf(item.token_values.map(LOOKS[name].of));
    return { divergence: of("divergence"), disagreement: of("disagreement") };
  }, [item]);
  const jump = (order: Ranks, step: 1 | -1) => {
    const next = stepped(order, cursor.get().chosen, step);
    if (next !== null) cursor.choose(next);
  };
  useKeys({
    d: () => jump(ranks, 1),
    D: () => jump(ranks, -1),
    v: () => jump(recorded.divergence, 1),
    a: () => jump(recorded.disagreement, 1),
  });
  const { label } = LOOKS[by];
  return (
    <>
      {recorded.divergence.order.length > 0 && (
        <Button
          small
          title="Next most divergent token (v)"
          onClick={() => jump(recorded.divergence, 1)}
        >
          Most divergent
        </Button>
      )}
      {recorded.disagreement.order.length > 0 && (
        <Button
          small
          title="Next most disagreed token (a)"
          onClick={() => jump(recorded.disagreement, 1)}
        >
          Most disagreed
        </Button>
      )}
      <span className="flex items-center gap-0.5">
        <IconButton label={`Token before, by ${label} (Shift D)`} onClick={() => jump(ranks, -1)}>
          <ChevronLeft className="size-4" />
        </IconButton>
        <Rank ranks={ranks} />
        <IconButton label={`Token after, by ${label} (d)`} onClick={() => jump(ranks, 1)}>
          <ChevronRight className="size-4" />
        </IconButton>
      </span>
    </>
  );
}

function Rank({ ranks }: { ranks: Ranks }) {
  const { chosen } = usePlace();
  const rank = chosen === null ? null : (ranks.rank[chosen] ?? null);
  return (
    <span className="min-w-24 text-center text-muted text-sm tabular-nums">
      rank {rank === null ? UNKNOWN : integer(rank)} of {integer(ranks.order.length)}
    </span>
  );
}
