import { type FormEvent, useState } from "react";
import { useSignIn } from "../api/actions";
import { asApiError } from "../api/client";
import { Button } from "../components/ui";
import { useTitle } from "../lib/hooks";

/** Shown in place of any page while signed out: the address stays, so one returns to it. */
export function SignIn() {
  useTitle("Sign in");
  const [token, setToken] = useState("");
  const signIn = useSignIn();
  const problem = signIn.error ? asApiError(signIn.error) : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim()) signIn.mutate(token.trim());
  };
  return (
    <main className="flex h-full items-center justify-center p-6">
      <form onSubmit={submit} className="panel w-full max-w-sm p-6">
        <img src="/favicon.svg" alt="" className="mb-4 size-8" />
        <h1 className="font-semibold text-xl">Sign in to UniSD Studio</h1>
        <p className="mt-1 text-muted">
          Paste the access token that this server was started with (
          <code className="font-mono text-sm">UNISD_TOKEN</code>).
        </p>
        <label htmlFor="token" className="mt-5 mb-1.5 block font-medium text-sm">
          Access token
        </label>
        <input
          id="token"
          type="password"
          autoComplete="current-password"
          value={token}
          onChange={(event) => setToken(event.target.value)}
          aria-invalid={problem !== null}
          aria-describedby={problem ? "token-error" : undefined}
          className="control w-full font-mono"
        />
        {problem && (
          <p id="token-error" role="alert" className="mt-2 text-bad text-sm">
            {problem.message} {problem.remedy}
          </p>
        )}
        <Button
          type="submit"
          variant="primary"
          className="mt-4 w-full"
          disabled={!token.trim() || signIn.isPending}
        >
          {signIn.isPending ? "Signing in…" : "Sign in"}
        </Button>
      </form>
    </main>
  );
}
