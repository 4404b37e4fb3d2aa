// Tables: what `kubectl get` asks for and prints. The columns of a kind are its own, or those that are computed for it.
import type { KubeObject } from '../../kube/api.ts';
import type { Json, KindOptions, PrinterColumn } from '../cluster.ts';
import { type ComputedColumn, computedColumns } from './computedColumns.ts';
import { humanDuration } from './humanDuration.ts';
import { jsonPath } from './jsonPath.ts';

/** How a client wants its tables. */
export interface TableOptions {
  readonly apiVersion: string;
  readonly includeObject: 'None' | 'Metadata' | 'Object';
}

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

const cellOf = (type: PrinterColumn['type'], found: unknown, nowMs: number): unknown => {
  if (found === undefined || found === null) return type === 'date' ? '<unknown>' : null;
  if (type === 'date') return humanDuration(nowMs - Date.parse(String(found)));
  return typeof found === 'object' ? JSON.stringify(found) : found;
};

const fromField = ({ name, type, jsonPath: path, priority = 0 }: PrinterColumn): ComputedColumn => {
  const read = jsonPath(path);
  return { name, type, priority, cell: (object, nowMs) => cellOf(type, read(object)[0], nowMs) };
};

const columnsOf = (kind: KindOptions): readonly ComputedColumn[] =>
  computedColumns(kind.resource) ?? (kind.columns ?? [age]).map(fromField);

const rowObject = (object: KubeObject, options: TableOptions): Json => {
  if (options.includeObject === 'None') return {};
  if (options.includeObject === 'Object') return { object };
  return { object: { kind: 'PartialObjectMetadata', apiVersion: options.apiVersion, metadata: object.metadata } };
};

/** Makes tables of one kind. `header` is left out in a watch after the first event, as a real server does. */
export const tableOf = (kind: KindOptions, options: TableOptions) => {
  const columns = columnsOf(kind);
  const definitions = columns.map(({ name, type, priority }) => ({
    name,
    type,
    format: '',
    description: '',
    priority,
  }));
  const nameColumn = { name: 'Name', type: 'string', format: 'name', description: 'Name of the object', priority: 0 };
  return (objects: readonly KubeObject[], nowMs: number, metadata: Json, header = true): Json => ({
    kind: 'Table',
    apiVersion: options.apiVersion,
    metadata,
    columnDefinitions: header ? [nameColumn, ...definitions] : [],
    rows: objects.map((object) => ({
      cells: [object.metadata.name, ...columns.map(({ cell }) => cell(object, nowMs))],
      ...rowObject(object, options),
    })),
  });
};
