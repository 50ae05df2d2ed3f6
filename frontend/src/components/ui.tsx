import type { ButtonHTMLAttributes, HTMLAttributes, ReactNode } from "react";

type Variant = "primary" | "secondary" | "ghost" | "danger";

const VARIANTS: Record<Variant, string> = {
  primary: "bg-accent text-on-accent hover:not-disabled:bg-accent-hover font-medium",
  secondary: "border border-line-strong bg-surface hover:not-disabled:bg-hover",
  ghost: "text-muted hover:not-disabled:bg-hover hover:not-disabled:text-ink",
  danger: "border border-bad-line text-bad hover:not-disabled:bg-bad-soft font-medium",
};

export function buttonClass(variant: Variant = "secondary", small = false): string {
  const size = small ? "h-7 px-2 text-sm gap-1.5" : "h-8 px-3 gap-2";
  return `inline-flex shrink-0 items-center justify-center whitespace-nowrap rounded-control no-underline transition-colors disabled:opacity-55 aria-disabled:opacity-55 ${size} ${VARIANTS[variant]}`;
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: Variant;
  small?: boolean;
  /** Its work goes on: it does nothing now, but keeps the focus, which `disabled` would take. */
  busy?: boolean;
}

export function Button({ variant, small, busy = false, className, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      className={`${buttonClass(variant, small)} ${className ?? ""}`}
      {...rest}
    />
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string;
  children: ReactNode;
}

export function IconButton({ label, className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`inline-flex size-7 shrink-0 items-center justify-center rounded-control text-muted transition-colors hover:not-disabled:bg-hover hover:not-disabled:text-ink disabled:opacity-40 ${className ?? ""}`}
      {...rest}
    >
      {children}
    </button>
  );
}

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-line-strong bg-sunken px-1.5 font-mono text-xs text-muted">
      {children}
    </kbd>
  );
}

export function Skeleton({ className }: { className: string }) {
  return <div aria-hidden="true" className={`animate-shimmer rounded bg-line ${className}`} />;
}

interface SegmentedProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: ReactNode; title?: string }[];
  onChange: (value: T) => void;
  small?: boolean;
}

/** One choice of a few, all visible. */
export function Segmented<T extends string>(props: SegmentedProps<T>) {
  return (
    <fieldset>
      <legend className="sr-only">{props.label}</legend>
      <div
        className={`inline-flex rounded-control border border-line-strong bg-sunken p-0.5 align-top ${props.small ? "h-7" : "h-8"}`}
      >
        {props.options.map((option) => (
          <button
            key={option.value}
            type="button"
            aria-pressed={option.value === props.value}
            title={option.title}
            onClick={() => props.onChange(option.value)}
            className="inline-flex items-center gap-1.5 whitespace-nowrap rounded-[4px] border border-transparent px-2.5 text-sm text-muted transition-colors hover:text-ink aria-pressed:border-line-strong aria-pressed:bg-surface aria-pressed:font-medium aria-pressed:text-ink"
          >
            {option.label}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

interface SwitchProps {
  id?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  children?: ReactNode;
  testId?: string;
  describedBy?: string | undefined;
}

export function Switch({ id, checked, onChange, children, testId, describedBy }: SwitchProps) {
  return (
    <label className="inline-flex cursor-pointer items-center gap-2 text-sm">
      <input
        id={id}
        type="checkbox"
        role="switch"
        aria-checked={checked}
        data-testid={testId}
        aria-describedby={describedBy}
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
        className="peer sr-only"
      />
      <span
        aria-hidden="true"
        className="relative h-[18px] w-8 shrink-0 rounded-full border border-line-strong bg-sunken transition-colors after:absolute after:top-[2px] after:left-[2px] after:size-3 after:rounded-full after:bg-faint after:transition-transform peer-checked:border-accent peer-checked:bg-accent peer-checked:after:translate-x-[14px] peer-checked:after:bg-on-accent peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent"
      />
      {children}
    </label>
  );
}

interface BarProps extends HTMLAttributes<HTMLDivElement> {
  share: number | null;
  label: string;
  tone?: string;
  testId?: string;
}

/** How much of a whole; an unknown share is an empty bar that says so. */
export function Bar({ share, label, tone = "bg-accent", testId, className, ...rest }: BarProps) {
  const value = share === null ? undefined : Math.round(Math.min(1, Math.max(0, share)) * 100);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value}
      data-testid={testId}
      className={`h-1 overflow-hidden rounded-full bg-line ${className ?? ""}`}
      {...rest}
    >
      <div
        className={`h-full rounded-full transition-[width] duration-500 ${tone}`}
        style={{ width: `${value ?? 0}%` }}
      />
    </div>
  );
}
