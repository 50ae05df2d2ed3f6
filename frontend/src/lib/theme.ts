import { useSyncExternalStore } from "react";
import { recall, remember } from "./storage";

export type ThemeChoice = "system" | "light" | "dark";
export type Theme = "light" | "dark";

const CHOICES: readonly ThemeChoice[] = ["system", "light", "dark"];
const listeners = new Set<() => void>();
const media = window.matchMedia?.("(prefers-color-scheme: dark)");

function initial(): ThemeChoice {
  const stored = recall("theme");
  return CHOICES.find((choice) => choice === stored) ?? "system";
}

let choice: ThemeChoice = initial();
let printing = false;

function resolve(): Theme {
  if (printing) return "light"; // paper is
  if (choice !== "system") return choice;
  return media?.matches ? "dark" : "light";
}

function apply(): void {
  document.documentElement.dataset.theme = resolve();
  for (const listener of listeners) listener();
}

function print(now: boolean): void {
  printing = now;
  apply();
}

media?.addEventListener("change", apply);
window.addEventListener("beforeprint", () => print(true));
window.addEventListener("afterprint", () => print(false));
apply();

export function setTheme(next: ThemeChoice): void {
  choice = next;
  remember("theme", next);
  apply();
}

export function cycleTheme(): void {
  setTheme(CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length] ?? "system");
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useThemeChoice = (): ThemeChoice => useSyncExternalStore(subscribe, () => choice);
export const useTheme = (): Theme => useSyncExternalStore(subscribe, resolve);
