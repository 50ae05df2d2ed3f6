import { useQuery } from "@tanstack/react-query";
import { transitionsQuery } from "../api/steering";
import type { Artifact, RunDetail } from "../api/types";
import { Copy } from "../components/Copy";
import { Time } from "../components/Time";
import { bytes, duration, integer, UNKNOWN } from "../lib/format";
import { Attempts } from "./Attempts";
import { Card, Line, Nothing } from "./cards";
import { History } from "./History";

export function SystemTab({ run }: { run: RunDetail }) {
  const { isPending } = useQuery(transitionsQuery(run.id));
  return (
    <div className="grid items-start gap-4 px-4 py-4 md:px-6 xl:grid-cols-2">
      <History run={run} />
      {/* Once the history has its height, nothing below it moves. */}
      {!isPending && (
        <>
          <Attempts run={run} />
          <Artifacts run={run} />
          <Schedule run={run} />
          <Dataset run={run} />
          <Environment run={run} />
        </>
      )}
    </div>
  );
}

function Hash({ value }: { value: string }) {
  return (
    <span className="inline-flex items-center gap-1">
      <code title={value} className="font-mono text-sm">
        {value.slice(0, 12)}…
      </code>
      <Copy compact text={value} label="Copy the SHA-256" />
    </span>
  );
}

const ADAPTERS: Record<string, string> = {
  adapter: "LoRA adapter",
  ema_adapter: "LoRA adapter of the EMA teacher",
};

function Artifacts({ run }: { run: RunDetail }) {
  return (
    <Card title="Artifacts">
      {run.artifacts.length === 0 && (
        <Nothing>None yet. The adapter is written when the run ends or is stopped.</Nothing>
      )}
      {run.artifacts.map((artifact) => (
        <div key={artifact.id} className="border-line border-b p-3 last:border-b-0">
          <div className="flex items-baseline justify-between gap-4">
            <span className="font-medium">{ADAPTERS[artifact.kind] ?? artifact.kind}</span>
            <span className="text-faint text-sm">
              attempt {artifact.attempt} · {bytes(artifact.bytes)} ·{" "}
              <Time iso={artifact.created_at} />
            </span>
          </div>
          <div className="mt-1 flex items-center gap-1">
            <code className="min-w-0 break-all font-mono text-muted text-sm">
              {artifact.directory}
            </code>
            <Copy compact text={artifact.directory} label="Copy the path" />
          </div>
          <div className="flex items-center gap-2 text-muted text-sm">
            SHA-256 <Hash value={artifact.sha256} />
          </div>
          {artifact.kind in ADAPTERS && <Snippet run={run} artifact={artifact} />}
        </div>
      ))}
    </Card>
  );
}

function Snippet({ run, artifact }: { run: RunDetail; artifact: Artifact }) {
  const model = JSON.stringify(run.config.model?.name ?? run.model);
  const code = `from peft import PeftModel
from transformers import AutoModelForCausalLM

base = AutoModelForCausalLM.from_pretrained(${model})
model = PeftModel.from_pretrained(base, ${JSON.stringify(artifact.directory)})`;
  return (
    <div className="relative mt-3 rounded-control bg-sunken">
      <div className="absolute top-1.5 right-1.5">
        <Copy text={code} label="Copy" />
      </div>
      <pre className="whitespace-pre-wrap break-words p-3 pr-20 font-mono text-sm">{code}</pre>
    </div>
  );
}

function Dataset({ run }: { run: RunDetail }) {
  const { dataset } = run;
  const dropped = Object.entries(dataset?.dropped ?? {}).filter(([, count]) => count > 0);
  return (
    <Card title="Data">
      <dl>
        <Line label="File">
          <code className="font-mono text-sm">{run.data}</code>
        </Line>
        {dataset && (
          <>
            <Line label="SHA-256">
              <Hash value={dataset.sha256} />
            </Line>
            <Line label="Records read">{integer(dataset.records)}</Line>
            <Line label="Used for training">{integer(dataset.train)}</Line>
            <Line label="Held out for evaluation">{integer(dataset.held_out)}</Line>
            {dropped.length === 0 && <Line label="Dropped">0</Line>}
            {dropped.map(([reason, count]) => (
              <Line key={reason} label={`Dropped: ${reason.replaceAll("_", " ")}`}>
                {integer(count)}
              </Line>
            ))}
          </>
        )}
      </dl>
      {!dataset && <Nothing>Not read yet.</Nothing>}
    </Card>
  );
}

function Schedule({ run }: { run: RunDetail }) {
  return (
    <Card title="Schedule">
      <dl>
        <Line label="Queue">{run.queue}</Line>
        <Line label="Priority">{integer(run.priority).replace("-", "\u2212")}</Line>
        <Line label="Labels that its worker must carry">{run.labels.join(", ") || "none"}</Line>
        <Line label="GPU memory asked for">
          {run.gpu_memory_bytes === null ? "any" : bytes(run.gpu_memory_bytes)}
        </Line>
        <Line label="Time of the attempts that are over">{duration(run.used_seconds)}</Line>
        <Line label="Time limit">
          {run.time_limit_seconds === null ? "none" : duration(run.time_limit_seconds)}
        </Line>
      </dl>
    </Card>
  );
}

function Environment({ run }: { run: RunDetail }) {
  return (
    <Card title="Environment">
      <dl>
        <Line label="Worker">{run.worker ?? UNKNOWN}</Line>
        <Line label="Device">{run.device ?? UNKNOWN}</Line>
        <Line label="Number format of the weights">{run.dtype ?? UNKNOWN}</Line>
        {Object.entries(run.versions ?? {}).map(([name, version]) => (
          <Line key={name} label={name}>
            {version}
          </Line>
        ))}
        <Line label="Run id">
          <span className="inline-flex items-center gap-1">
            <code className="font-mono text-sm">{run.id}</code>
            <Copy compact text={run.id} label="Copy the id" />
          </span>
        </Line>
      </dl>
    </Card>
  );
}
