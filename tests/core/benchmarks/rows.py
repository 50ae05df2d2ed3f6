"""One row of each layout, invented here, and which of its fields a loader cannot do without."""

from __future__ import annotations

from typing import Any, NamedTuple


class Sample(NamedTuple):
    layout: str
    row: dict[str, Any]
    required: frozenset[str]


SAMPLES = {
    "cos_e": Sample(
        "cos_e",
        {
            "id": "q1",
            "question": "Where do ducks swim?",
            "choices": ["pond", "desk", "oven", "sky", "shoe"],
            "answer": "pond",
            "abstractive_explanation": "Ducks like water.",
            "extractive_explanation": "ducks swim",
        },
        frozenset({"question", "choices", "answer"}),
    ),
    "commonsense_qa": Sample(
        "cos_e",
        {
            "answerKey": "B",
            "id": "q2",
            "question": {
                "question_concept": "duck",
                "choices": [{"label": "A", "text": "desk"}, {"label": "B", "text": "pond"}],
                "stem": "Where do ducks swim?",
            },
            "explanation": {"open-ended": "Ducks like water.", "selected": "ducks"},
        },
        frozenset({"answerKey", "question"}),
    ),
    "scienceqa": Sample(
        "scienceqa",
        {
            "pid": "7",
            "question": "Which is a solid?",
            "choices": ["steam", "ice"],
            "answer": 1,
            "hint": "Think of winter.",
            "image": None,
            "lecture": "Solids keep their shape.",
            "solution": "Ice keeps its shape.",
            "split": "train",
        },
        frozenset({"question", "choices", "answer"}),
    ),
    "mbpp": Sample(
        "mbpp",
        {
            "text": "Write a function that doubles a number.",
            "code": "def double(n):\r\n    return 2 * n",
            "task_id": 700,
            "test_setup_code": "",
            "test_list": ["assert double(2) == 4", "assert double(0) == 0"],
            "challenge_test_list": [],
        },
        frozenset({"code", "test_list"}),
    ),
    "mbpp_sanitized": Sample(
        "mbpp_sanitized",
        {
            "source_file": "x",
            "task_id": 701,
            "prompt": "Write a function that doubles a number.",
            "code": "def double(n):\n    return 2 * n",
            "test_imports": ["import math"],
            "test_list": ["assert double(2) == 4"],
        },
        frozenset({"prompt", "code", "test_list"}),
    ),
    "humaneval": Sample(
        "humaneval",
        {
            "task_id": "HumanEval/900",
            "prompt": 'def double(n):\n    """Twice n."""\n',
            "entry_point": "double",
            "canonical_solution": "    return 2 * n\n",
            "test": "def check(candidate):\n    assert candidate(2) == 4\n",
        },
        frozenset({"prompt", "entry_point", "canonical_solution", "test"}),
    ),
    "gsm8k": Sample(
        "gsm8k",
        {"question": "Two ducks and three more?", "answer": "2+3=<<2+3=5>>5 ducks.\n#### 5"},
        frozenset({"question", "answer"}),
    ),
    "gpqa_main": Sample(
        "gpqa_main",
        {
            "Question": "Which duck?",
            "Correct Answer": "the blue one",
            "Incorrect Answer 1": "the red one",
            "Incorrect Answer 2": "the green one",
            "Incorrect Answer 3": "none",
            "Explanation": "It is blue.",
            "Record ID": "rec1",
        },
        frozenset(
            {
                "Question",
                "Correct Answer",
                "Incorrect Answer 1",
                "Incorrect Answer 2",
                "Incorrect Answer 3",
            }
        ),
    ),
    "toolalpaca": Sample(
        "toolalpaca",
        {
            "Name": "Ducks",
            "Description": "All about ducks",
            "NLDocumentation": "getDuck: one duck\nParameters: {}",
            "Instructions": ["Show me a duck.", "And another."],
            "Golden_Answers": [
                [{"Action": "getDuck", "Action_Input": "{}"}],
                [{"Action": "getDuck", "Action_Input": '{"id": ${id from getDuck}}'}],
            ],
        },
        frozenset({"Name", "Description", "NLDocumentation", "Instructions", "Golden_Answers"}),
    ),
    "tooluse": Sample(
        "toolalpaca",
        {
            "prompt": "You may call getDuck. Show me a duck.",
            "name": "Ducks",
            "golden_answer": [{"Action": "getDuck", "Action_Input": "{}"}],
        },
        frozenset({"prompt"}),
    ),
    "sdpo": Sample(
        "toolalpaca",
        {
            "prompt": "You may call getDuck. Show me a duck.",
            "idx": 3,
            "answer": '[{"Action": "getDuck", "Action_Input": "{}"}]',
        },
        frozenset({"prompt", "answer"}),
    ),
}
