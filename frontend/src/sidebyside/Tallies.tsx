import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Switch } from "../components/ui";
import { plural } from "../lib/format";
import { type Tally, talliesQuery } from "./api";

/** Who wins against whom. Nothing before somebody has voted. */
export function Tallies() {
  const [blind, setBlind] = useState(false);
  const found = useQuery(talliesQuery(blind));
  if (!found.data || (found.data.votes === 0 && !blind)) return null;
  return (
    <section aria-label="Votes by pair" className="panel overflow-hidden">
      <div className="flex flex-wrap items-center gap-3 border-line border-b bg-sunken px-3 py-2">
        <h2 className="font-medium">Votes by pair</h2>
        <Switch checked={blind} onChange={setBlind}>
          Blind votes only
        </Switch>
        <span className="ml-auto text-faint text-sm tabular-nums">
          {plural(found.data.votes, "vote")}
        </span>
      </div>
      <div className="overflow-x-auto">
        <table className="w-full text-sm tabular-nums">
          <thead>
            <tr className="eyebrow text-left">
              <th scope="col" className="px-3 py-1.5 font-normal">
                Pair
              </th>
              {["Wins", "Losses", "Ties"].map((title) => (
                <th key={title} scope="col" className="px-3 py-1.5 text-right font-normal">
                  {title}
                </th>
              ))}
              <th scope="col" className="px-3 py-1.5 text-right font-normal">
                Share of wins (95 %)
              </th>
            </tr>
          </thead>
          <tbody>
            {found.data.items.map((one) => (
              <Row key={`${one.first} ${one.second}`} one={one} />
            ))}
          </tbody>
        </table>
      </div>
      <p className="border-line border-t px-3 py-2 text-faint text-sm">
        Of the first of each pair. Ties are not in the share; its interval is Wilson's.
      </p>
    </section>
  );
}

const share = (value: number | null | undefined): string =>
  value === null || value === undefined ? "–" : `${Math.round(value * 100)} %`;

function Row({ one }: { one: Tally }) {
  const { estimate, low, high } = one.rate;
  return (
    <tr className="border-line border-t" data-testid="tally">
      <th scope="row" className="px-3 py-1.5 text-left font-normal">
        {one.first_label} <span className="text-faint">against</span> {one.second_label}
      </th>
      <td className="px-3 py-1.5 text-right">{one.wins}</td>
      <td className="px-3 py-1.5 text-right">{one.losses}</td>
      <td className="px-3 py-1.5 text-right">{one.ties}</td>
      <td className="px-3 py-1.5 text-right">
        {share(estimate)}{" "}
        {estimate !== null && (
          <span className="text-faint">
            {share(low)} to {share(high)}
          </span>
        )}
      </td>
    </tr>
  );
}
