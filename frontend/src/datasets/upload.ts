/** Sends a file as it is, with progress; `fetch` cannot tell how much has left. */
import { ApiError, answerError } from "../api/client";
import type { DatasetVersion } from "../api/types";

export interface Upload {
  name: string;
  file: File;
  projectId: string | undefined;
}

export function uploadFile(
  { name, file, projectId }: Upload,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<DatasetVersion> {
  const query = new URLSearchParams({ name, file_name: file.name });
  if (projectId) query.set("project_id", projectId);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/datasets/upload?${query}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response);
      else reject(answerError(new Response(null, { status: request.status }), request.response));
    };
    request.onerror = () =>
      reject(
        new ApiError({
          status: 0,
          code: "unreachable",
          detail: "The upload was cut off.",
          remedy: "Check the connection and send the file again; nothing was kept of it.",
        }),
      );
    request.onabort = () => reject(new DOMException("Cancelled", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/** A name for a data set from the name of its file: letters, digits and `._-`. */
export function nameOf(fileName: string): string {
  const stem = fileName.replace(/\.(gz)$/i, "").replace(/\.[^.]+$/, "");
  const plain = stem.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return plain.slice(0, 100) || "dataset";
}
