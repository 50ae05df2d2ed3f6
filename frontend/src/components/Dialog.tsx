import { X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Button, IconButton } from "./ui";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
  width?: string;
}

/** A modal on the native element: focus stays inside, Esc closes, focus returns. */
export function Dialog({ title, onClose, children, footer, width = "w-[440px]" }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog || dialog.open) return;
    dialog.showModal();
    dialog.querySelector<HTMLElement>("[data-autofocus]")?.focus();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the click on the backdrop doubles Esc
    <dialog
      ref={ref}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
      className={`m-auto max-h-[85vh] flex-col open:flex max-w-[calc(100vw-32px)] rounded-panel border border-line-strong bg-raised p-0 text-ink shadow-overlay ${width}`}
    >
      <div className="flex shrink-0 items-center justify-between px-4 pt-3.5">
        <h2 className="font-semibold text-lg">{title}</h2>
        <IconButton label="Close" onClick={onClose} className="-mr-1.5">
          <X aria-hidden="true" className="size-4" />
        </IconButton>
      </div>
      <div className="min-h-0 overflow-y-auto px-4 pt-2 pb-4">{children}</div>
      {footer && (
        <div className="flex shrink-0 justify-end gap-2 border-line border-t px-4 py-3">
          {footer}
        </div>
      )}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  children: ReactNode;
  action: string;
  busy: boolean;
  error?: string | undefined;
  onConfirm: () => void;
  onClose: () => void;
  testId?: string;
}

export function Confirm(props: ConfirmProps) {
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      footer={
        <>
          <Button data-autofocus onClick={props.onClose}>
            Keep it
          </Button>
          <Button
            variant="danger"
            disabled={props.busy}
            onClick={props.onConfirm}
            data-testid={props.testId}
          >
            {props.action}
          </Button>
        </>
      }
    >
      <div className="text-muted">{props.children}</div>
      {props.error && (
        <p role="alert" className="mt-3 text-bad">
          {props.error}
        </p>
      )}
    </Dialog>
  );
}
