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

function resolve(): Theme {
  if (choice !== "system") return choice;
  return media?.matches ? "dark" : "light";
}

function apply(): void {
  document.documentElement.dataset.theme = resolve();
  for (const listener of listeners) listener();
}

media?.addEventListener("change", apply);
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
