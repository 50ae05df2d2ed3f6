import { useState } from "react";
import type { RunDetail } from "../api/types";
import { Button } from "../components/ui";
import { EvaluateDialog } from "./EvaluateDialog";
import type { RetentionCurve } from "./queries";

/** Where nothing was asked, or not enough. */
export function EvaluateButton({ run, curve }: { run: RunDetail; curve: RetentionCurve }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button variant="primary" onClick={() => setAsking(true)}>
        Evaluate checkpoints…
      </Button>
      {asking && <EvaluateDialog run={run} curve={curve} onClose={() => setAsking(false)} />}
    </>
  );
}
