"""Route of presets."""

from __future__ import annotations

from fastapi import APIRouter

from app.deps import Limit, Offset
from app.errors import documented
from app.presets.schemas import PresetList, PresetOut
from core.presets import PRESETS

router = APIRouter(prefix="/presets", tags=["configuration"])


@router.get("", responses=documented(422))
def list_presets(limit: Limit = 100, offset: Offset = 0) -> PresetList:
    """Every mechanism alone, the baselines, and UniSD*."""
    presets = [PresetOut.model_validate(preset) for preset in PRESETS.values()]
    page = presets[offset : offset + limit]
    return PresetList(items=page, total=len(presets), limit=limit, offset=offset)
