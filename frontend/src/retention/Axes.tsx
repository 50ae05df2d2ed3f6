import { useEffect, useRef, useState } from "react";

export interface Tick {
  at: number;
  label: string;
}

export interface Frame {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface AxesProps {
  frame: Frame;
  x: readonly Tick[];
  y: readonly Tick[];
  xTitle: string;
  yTitle?: string;
}

/** Grid lines, ticks and titles around a picture. */
export function Axes({ frame, x, y, xTitle, yTitle }: AxesProps) {
  return (
    <g fill="var(--text-faint)">
      {y.map(({ at, label }) => (
        <g key={label}>
          <path d={`M${frame.left} ${at}H${frame.right}`} stroke="var(--line)" />
          <text x={frame.left - 8} y={at + 4} textAnchor="end">
            {label}
          </text>
        </g>
      ))}
      {x.map(({ at, label }) => (
        <g key={label}>
          <path d={`M${at} ${frame.bottom}v4`} stroke="var(--line-strong)" />
          <text x={at} y={frame.bottom + 17} textAnchor="middle">
            {label}
          </text>
        </g>
      ))}
      <path d={`M${frame.left} ${frame.bottom}H${frame.right}`} stroke="var(--line-strong)" />
      <text x={(frame.left + frame.right) / 2} y={frame.bottom + 36} textAnchor="middle">
        {xTitle}
      </text>
      {yTitle && (
        <text
          transform={`translate(12 ${(frame.top + frame.bottom) / 2}) rotate(-90)`}
          textAnchor="middle"
        >
          {yTitle}
        </text>
      )}
    </g>
  );
}

const AT_FIRST = 560;

/** The width that there is, in pixels: pictures keep the size of their letters. */
export function useWidth<T extends HTMLElement>() {
  const ref = useRef<T>(null);
  const [width, setWidth] = useState(AT_FIRST);
  useEffect(() => {
    if (!ref.current) return;
    const watch = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.max(240, Math.floor(entry.contentRect.width)));
    });
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return { ref, width };
}

/** A tick's number without the noise of its arithmetic. */
export const tick = (value: number): string =>
  String(Number(value.toPrecision(3))).replace("-", "\u2212");
