// Performs the acts of a recording on the simulated KubeVirt, in virtual time. An act comes when the simulation stands
// where the recording stood when it came, or as long after the act before it as recorded if that was less than a
// second; so a recording made on a slow machine, or at another beat of KubeVirt's throttle, can be followed.
import { type Subscription, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { type JsonPatchOperation, KubeFailure, type KubeObject, type ObjectRef } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import { apiServer } from '../apiServer/apiServer.ts';
import type { ApiServer } from '../cluster.ts';
import { type KubeVirt, kubeVirt, runsOn } from '../kubevirt/kubeVirt.ts';
import type { NodeSide } from '../kubevirt/nodeSide.ts';
import type { KubeVirtOptions } from '../kubevirt/options.ts';
import { hasReached, passingOf } from './compare.ts';
import type { Recorded, RecordedAct } from './recording.ts';
import { type Sequences, type Timeline, timeline } from './timeline.ts';

const shortGapMs = 1000;
const settleMs = 200;
const patienceMs = 60_000;
const pollMs = 5;

const isAnswer = ({ act }: RecordedAct): boolean => act.endsWith('answered');
const isRead = ({ act }: RecordedAct): boolean => act === 'state at the end';

/** An answer, reduced to what can be compared: `accepted`, or the status code. */
export const answerOf = (answer: unknown): string => {
  const code = /\b([45]\d\d)\b/.exec(JSON.stringify(answer) ?? '')?.[1];
  return code ?? (typeof answer === 'string' && /accept/i.test(answer) ? 'accepted' : 'refused');
};

/** Claims that an act speaks of, whatever it calls them. */
const claimsIn = (value: unknown, claims: ReadonlySet<string>): readonly string[] => {
  if (typeof value === 'string') return value.split(/[^a-z0-9.-]+/).filter((word) => claims.has(word));
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inner) => claimsIn(inner, claims));
};

/** What a recording says of answers and of the disk a guest is on, noted beside the objects. */
export const noteAct = (into: Timeline, act: RecordedAct, claims: ReadonlySet<string>): void => {
  if (isAnswer(act)) into.note(`VM ${act.vm}`, 'answers', `${act.act}: ${answerOf(act.fields['answer'])}`);
  if (act.act === 'runs on') into.note(`VM ${act.vm}`, 'runs on', claimsIn(act.fields, claims).toSorted().join(', '));
};

const seconds = (act: RecordedAct, field: string, more = 0): number | undefined => {
  const value = act.fields[field];
  return typeof value === 'number' ? value * 1000 + more : undefined;
};

const nodeSideOf = (act: RecordedAct): NodeSide => {
  const { copy, target } = act.fields;
  const liveCopyMs = seconds(act, 'copy_s');
  const handOverMs = seconds(act, 'ack_s');
  const shutdownMs = seconds(act, 'stop_s', 100);
  return {
    ...(copy === 'hold' || copy === 'succeed' || copy === 'fail' ? { copy } : {}),
    ...(target === undefined ? {} : { target: target === 'hold' ? 'hold' : 'release' }),
    ...(liveCopyMs === undefined ? {} : { liveCopyMs }),
    ...(handOverMs === undefined ? {} : { handOverMs }),
    ...(shutdownMs === undefined ? {} : { shutdownMs }),
  };
};

const cleaned = (object: KubeObject): KubeObject => {
  const { name, namespace, labels, annotations } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: object['spec'],
  };
};

interface Actor {
  readonly perform: (act: RecordedAct) => void;
  readonly createClaims: (until: number) => void;
}

const actorOf = (server: ApiServer, kube: KubeVirt, recorded: readonly Recorded[], seen: Timeline): Actor => {
  const namespace = recorded.find((line) => line.kind === 'event')?.object.metadata.namespace ?? 'default';
  const versions = new Map<string, string>();
  const claims = new Set<string>();
  const refOf = (act: RecordedAct): ObjectRef => ({ namespace, name: act.vm });
  const versionOf = (ref: ObjectRef): string =>
    server.read(resources.virtualMachines, ref)?.metadata.resourceVersion ?? '';

  /** The simulated version that stands for a recorded one; one that matches nothing if it was stale by then. */
  const versionFor = (version: string, act: RecordedAct): string => {
    const before = recorded.slice(0, recorded.indexOf(act));
    const newest = before.findLast(
      (line) => line.kind === 'event' && line.watch === 'virtualmachines' && line.object.metadata.name === act.vm,
    );
    const isNewest = newest?.kind === 'event' && newest.object.metadata.resourceVersion === version;
    return versions.get(version) ?? (isNewest ? versionOf(refOf(act)) : '1');
  };

  const operations = (patch: readonly JsonPatchOperation[], act: RecordedAct): readonly JsonPatchOperation[] =>
    patch.map((operation) =>
      operation.op === 'test' && operation.path === '/metadata/resourceVersion'
        ? { ...operation, value: versionFor(String(operation.value), act) }
        : operation,
    );

  /** What the recording answered tells which of its versions stands for the present one. */
  const learnVersion = (act: RecordedAct): void => {
    const answered = recorded
      .slice(recorded.indexOf(act))
      .find((line) => line.kind === 'act' && line.vm === act.vm && isAnswer(line));
    const version = answered?.kind === 'act' ? answered.fields['resourceVersion'] : undefined;
    if (version !== undefined) versions.set(String(version), versionOf(refOf(act)));
  };

  const answer = (act: RecordedAct, request: () => void): void => {
    let answered = 'accepted';
    try {
      request();
      learnVersion(act);
    } catch (failure) {
      if (!(failure instanceof KubeFailure)) throw failure;
      answered = String(failure.code);
    }
    const name = act.fields['patch'] === undefined ? act.act.replace(/ subresource$/, '') : 'patch';
    seen.note(`VM ${act.vm}`, 'answers', `${name} answered: ${answered}`);
  };

  const createVm = (act: RecordedAct): void => {
    const added = recorded.find(
      (line) => line.kind === 'event' && line.watch === 'virtualmachines' && line.object.metadata.name === act.vm,
    );
    if (added?.kind !== 'event') throw new Error(`the recording creates VM ${act.vm} but never shows it`);
    server.create(resources.virtualMachines, cleaned(added.object), 'user');
  };

  const perform = (act: RecordedAct): void => {
    const ref = refOf(act);
    const { patch } = act.fields;
    if (act.act === 'create VM') createVm(act);
    else if (act.act === 'node side') kube.nodeSide(ref, nodeSideOf(act));
    else if (act.act === 'guest shuts down') kube.guestShutdown(ref);
    else if (act.act.startsWith('guest crash')) kube.guestCrash(ref);
    else if (act.act === 'delete VMI') server.remove(resources.virtualMachineInstances, ref, 'user');
    else if (act.act === 'delete VM') server.remove(resources.virtualMachines, ref, 'user');
    else if (act.act === 'resourceVersion taken') {
      versions.set(String(act.fields['resourceVersion']), versionOf(ref));
    } else if (act.act === 'runs on') {
      seen.note(`VM ${act.vm}`, 'runs on', [...(runsOn(server, kube, ref) ?? [])].sort().join(', '));
    } else if (Array.isArray(patch)) {
      const made = { type: 'json', operations: operations(patch as readonly JsonPatchOperation[], act) } as const;
      answer(act, () => server.patch(resources.virtualMachines, ref, made, 'user'));
    } else if (act.act.endsWith(' subresource')) {
      const name = act.act.slice(0, -' subresource'.length);
      const kind = name === 'pause' || name === 'unpause' ? 'virtualmachineinstances' : 'virtualmachines';
      answer(act, () => server.call('subresources.kubevirt.io', kind, name, ref, {}, 'user'));
    } else throw new Error(`the recording has an act that is not known here: ${act.act}`);
  };

  const createClaims = (until: number): void => {
    for (const line of recorded.slice(0, until)) {
      if (line.kind !== 'event' || line.watch !== 'persistentvolumeclaims' || line.type !== 'ADDED') continue;
      const { name } = line.object.metadata;
      if (claims.has(name)) continue;
      claims.add(name);
      server.create(resources.persistentVolumeClaims, cleaned(line.object), 'user');
    }
  };
  return { perform, createClaims };
};

interface Step {
  readonly act: RecordedAct | undefined;
  /** Lines before it. */
  readonly until: number;
  /** Time since the act before. */
  readonly gapMs: number;
  /** Time since the last event before. */
  readonly quietMs: number;
  /** What had been seen of every object. */
  readonly seen: Sequences;
}

const copied = (sequences: Sequences): Sequences =>
  new Map(
    [...sequences].map(([object, fields]) => [
      object,
      new Map([...fields].map(([field, values]) => [field, [...values]])),
    ]),
  );

/** The acts to perform, each with what the recording looked like just before, and the end as a step without an act. */
const stepsOf = (recorded: readonly Recorded[]): readonly Step[] => {
  const seen = timeline();
  const steps: Step[] = [];
  let lastAct = recorded[0]?.at ?? 0;
  let lastEvent = lastAct;
  for (const [index, line] of recorded.entries()) {
    if (line.kind === 'event') {
      seen.take(line.watch, line.type.toLowerCase() as 'added', line.object);
      lastEvent = line.at;
    } else if (!isAnswer(line) && !isRead(line)) {
      const gapMs = line.at - lastAct;
      steps.push({ act: line, until: index, gapMs, quietMs: line.at - lastEvent, seen: copied(seen.sequences()) });
      lastAct = line.at;
    }
  }
  const end = recorded.at(-1)?.at ?? 0;
  steps.push({
    act: undefined,
    until: recorded.length,
    gapMs: Math.max(shortGapMs, end - lastAct),
    quietMs: end - lastEvent,
    seen: seen.sequences(),
  });
  return steps;
};

const hasSeen = (seen: Sequences, wanted: Sequences): boolean =>
  [...wanted].every(([object, fields]) => {
    const mine = seen.get(object);
    return [...fields].every(([field, values]) => hasReached(mine?.get(field) ?? [], values, passingOf(object, field)));
  });

/** Replays a recording; the timeline of what the simulated KubeVirt did. */
export const replay = (recorded: readonly Recorded[], options: KubeVirtOptions = {}): Timeline => {
  const seen = timeline();
  const steps = stepsOf(recorded);
  const scheduler = new TestScheduler(() => undefined);
  scheduler.run(() => {
    let changed = true;
    const namespaces = new Set(
      recorded.flatMap((line) => (line.kind === 'event' ? [line.object.metadata.namespace ?? 'default'] : [])),
    );
    const server = apiServer({ namespaces: ['default', ...namespaces] });
    server.changes$.subscribe(({ resource, type, object }) => {
      changed = true;
      if (resource.plural !== 'kubevirts') seen.take(resource.plural, type, object);
    });
    const kube = kubeVirt(server, options);
    const actor = actorOf(server, kube, recorded, seen);
    for (const { act } of steps) {
      // The nodes of the recordings held every copy until they were told otherwise.
      const namespace = [...namespaces][0] ?? 'default';
      if (act?.act === 'create VM') kube.nodeSide({ namespace, name: act.vm }, { copy: 'hold' });
    }
    let next = 0;
    let lastAct = server.now();
    let reachedAt: number | undefined;

    const isDue = (step: Step): boolean => {
      const now = server.now();
      if (step.act !== undefined && step.gapMs < shortGapMs) return now - lastAct >= step.gapMs;
      if (reachedAt === undefined && changed) {
        changed = false;
        if (hasSeen(seen.sequences(), step.seen)) reachedAt = now;
      }
      const settled = reachedAt !== undefined && now - reachedAt >= Math.min(step.quietMs, settleMs);
      return settled || now - lastAct > step.gapMs + patienceMs;
    };

    const poll: Subscription = timer(0, pollMs).subscribe(() => {
      for (let step = steps[next]; step !== undefined; step = steps[next]) {
        actor.createClaims(step.until);
        if (!isDue(step)) return;
        if (step.act !== undefined) actor.perform(step.act);
        next += 1;
        changed = true;
        lastAct = server.now();
        reachedAt = undefined;
      }
      poll.unsubscribe();
      kube.unsubscribe();
    });
  });
  return seen;
};
