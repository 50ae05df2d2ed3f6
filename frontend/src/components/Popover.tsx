import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";

interface PopoverProps {
  button: (props: { open: boolean; toggle: () => void }) => ReactNode;
  children: (close: () => void) => ReactNode;
  className: string;
  /** Given together where something else opens it, too. */
  open?: boolean;
  onOpen?: (open: boolean) => void;
}

const MARGIN = 8;

/** Keeps a panel within the window's width, wherever its button stands. */
function keepInSight(panel: HTMLElement | null): void {
  if (!panel) return;
  panel.style.translate = "";
  const { left, right } = panel.getBoundingClientRect();
  const over = right + MARGIN - document.documentElement.clientWidth;
  const shift = over > 0 ? -Math.min(over, left - MARGIN) : Math.max(0, MARGIN - left);
  if (shift) panel.style.translate = `${Math.round(shift)}px 0`;
}

/** A panel beside its button; Esc or a press elsewhere closes it. */
export function Popover(props: PopoverProps) {
  const { button, children, className } = props;
  const [own, setOwn] = useState(false);
  const open = props.open ?? own;
  const tell = useRef(props.onOpen ?? setOwn);
  tell.current = props.onOpen ?? setOwn;
  const setOpen = (next: boolean) => tell.current(next);
  const root = useRef<HTMLDivElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  // After each drawing: what is in it may have another width now.
  useLayoutEffect(() => keepInSight(panel.current));
  useEffect(() => {
    if (!open) return;
    const onPress = (event: PointerEvent) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) {
        tell.current(false);
      }
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      tell.current(false);
      root.current?.querySelector<HTMLElement>("button")?.focus();
    };
    window.addEventListener("pointerdown", onPress);
    window.addEventListener("keydown", onKey);
    return () => {
      window.removeEventListener("pointerdown", onPress);
      window.removeEventListener("keydown", onKey);
    };
  }, [open]);
  return (
    <div ref={root} className="relative">
      {button({ open, toggle: () => setOpen(!open) })}
      {open && (
        <div
          ref={panel}
          className={`absolute z-40 rounded-panel border border-line-strong bg-raised shadow-overlay ${className}`}
        >
          {children(() => setOpen(false))}
        </div>
      )}
    </div>
  );
}
