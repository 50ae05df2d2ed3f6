import { type ReactNode, useEffect, useRef, useState } from "react";

interface PopoverProps {
  button: (props: { open: boolean; toggle: () => void }) => ReactNode;
  children: (close: () => void) => ReactNode;
  className: string;
  /** Given together where something else opens it, too. */
  open?: boolean;
  onOpen?: (open: boolean) => void;
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
          className={`absolute z-40 rounded-panel border border-line-strong bg-raised shadow-overlay ${className}`}
        >
          {children(() => setOpen(false))}
        </div>
      )}
    </div>
  );
}
