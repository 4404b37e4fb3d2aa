// How the nodes treat a VM from now on, where it differs from the options: the hooks by which scenarios and recordings
// hold, fail or slow down a live copy.
import type { Options } from './options.ts';

/** Times in ms; what is absent stays as it was. */
export interface NodeSide {
  /** `hold`: the copy goes on for ever. Default succeed. */
  readonly copy?: 'hold' | 'succeed' | 'fail';
  readonly liveCopyMs?: number;
  readonly handOverMs?: number;
  readonly shutdownMs?: number;
  /** `hold`: the second virt-launcher is not scheduled. */
  readonly target?: 'hold' | 'release';
}

export interface NodeSides {
  of(vm: string): Required<NodeSide>;
  set(vm: string, side: NodeSide): void;
}

/** Keeps what was set per VM (`namespace/name`), starting from the options. */
export const nodeSides = (options: Options): NodeSides => {
  const sides = new Map<string, Required<NodeSide>>();
  const usual: Required<NodeSide> = {
    copy: 'succeed',
    liveCopyMs: options.liveCopyMs,
    handOverMs: options.handOverMs,
    shutdownMs: options.shutdownMs,
    target: 'release',
  };
  const of = (vm: string): Required<NodeSide> => sides.get(vm) ?? usual;
  return {
    of,
    set: (vm, side) => {
      sides.set(vm, { ...of(vm), ...side });
    },
  };
};
