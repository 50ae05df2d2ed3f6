"""The self-distillation library: torch, transformers, peft and `core`; no web, queue or database.

`python -m worker.trainer run.yaml --out DIR` trains with no server at all.
"""
