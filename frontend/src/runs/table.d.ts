import type { RowData } from "@tanstack/react-table";
import type { Field } from "./fields";

declare module "@tanstack/react-table" {
  interface ColumnMeta<TData extends RowData, TValue> {
    field: Field;
  }
}
