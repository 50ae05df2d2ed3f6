import { Check, Copy as CopyIcon, type LucideIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, IconButton } from "./ui";

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages served over plain HTTP have no clipboard API.
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

interface CopyProps {
  text: string | (() => string);
  label: string;
  compact?: boolean;
  icon?: LucideIcon;
}

export function Copy({ text, label, compact = false, icon = CopyIcon }: CopyProps) {
  const [state, setState] = useState<"idle" | "done" | "refused">("idle");
  useEffect(() => {
    if (state === "idle") return;
    const timer = window.setTimeout(() => setState("idle"), 1600);
    return () => window.clearTimeout(timer);
  }, [state]);
  const onClick = async () => {
    const done = await copyText(typeof text === "function" ? text() : text);
    setState(done ? "done" : "refused");
  };
  const Icon = state === "done" ? Check : icon;
  const words = { idle: label, done: "Copied", refused: "The browser refused" }[state];
  if (compact) {
    return (
      <IconButton label={words} onClick={onClick}>
        <Icon aria-hidden="true" className="size-3.5" />
      </IconButton>
    );
  }
  return (
    <Button small onClick={onClick}>
      <Icon aria-hidden="true" className="size-3.5" />
      {words}
    </Button>
  );
}
