import { ChevronLeft, ChevronRight } from "lucide-react";
import { integer } from "../lib/format";
import { IconButton } from "./ui";

const PAGE_SIZE = 50;

interface PagingProps {
  page: number;
  total: number;
  size?: number;
  onPage: (page: number) => void;
}

export function Paging({ page, total, size = PAGE_SIZE, onPage }: PagingProps) {
  const last = Math.max(1, Math.ceil(total / size));
  const from = Math.min(total, (page - 1) * size + 1);
  return (
    <nav
      aria-label="Pages"
      className="flex items-center justify-end gap-2 px-4 py-3 text-sm tabular-nums md:px-6"
    >
      <span className="text-muted">
        {integer(from)}–{integer(Math.min(total, page * size))} of {integer(total)}
      </span>
      <IconButton label="Previous page" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        <ChevronLeft className="size-4" />
      </IconButton>
      <IconButton label="Next page" disabled={page >= last} onClick={() => onPage(page + 1)}>
        <ChevronRight className="size-4" />
      </IconButton>
    </nav>
  );
}
