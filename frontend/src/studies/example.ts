/** A plan to begin with: two methods, two learning rates, three seeds. */
export function examplePlan(dataset: string | undefined, project: string | undefined): string {
  const data = dataset
    ? `{dataset: ${JSON.stringify(dataset)}}`
    : "{benchmark: gsm8k, split: train, limit: 500}";
  return `name: Does an EMA teacher help?
${project ? `project: ${JSON.stringify(project)}\n` : ""}base:
  model: {name: HuggingFaceTB/SmolLM2-135M-Instruct}
  data: ${data}
  training: {max_steps: 50, batch_size: 4}
  evaluation: {examples: 32}
factors:
  method:
    sdft: {preset: sdft}
    ema: {preset: ema}
  rate:
    slow: {training: {learning_rate: 1.0e-5}}
    fast: {training: {learning_rate: 5.0e-5}}
seeds: [1, 2, 3]
metrics: [eval/reference/nll, train/loss]
`;
}
