// Two copy pods as a kubelet would run them, each in a folder of its own: the real entry program, rsync and stunnel, the
// mounts where the pod has them. Whatever a test leaves running or mounted goes after it.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { controlPort, type DiskKind, rsyncPort } from '../../src/copy/paths.ts';
import { copyServerPod } from '../../src/kube/copyPods.ts';
import { afterwards, folder, until } from '../main/process.ts';
import { at } from '../sim/sight.ts';
import { type Device, device, image, podUser } from './disks.ts';

const main = fileURLToPath(new URL('../../src/copy/main.ts', import.meta.url));

/** One line of a pod's log. */
export type Line = Readonly<Record<string, unknown>>;

export interface RunningPod {
  readonly pid: number;
  readonly root: string;
  readonly lines: readonly Line[];
  stdout(): string;
  /** The first line that matches, as soon as it is there. */
  printed(matches: (line: Line) => boolean): Promise<Line>;
  /** A program that the pod has running, as soon as there is one. */
  running(program: string): Promise<number>;
  kill(signal: NodeJS.Signals): void;
  /** Nobody reads its log any more. */
  hangUp(): void;
  /** As when a node is lost, or the container is killed: everything in it at once. */
  killAll(): void;
  /** Exit code and end record; record is empty when none was left. */
  readonly ended: Promise<{ readonly code: number | NodeJS.Signals; readonly record: Line }>;
}

/** Parent of a process; undefined when it is gone. */
const statOf = (
  pid: string,
): { readonly program: string; readonly parent: number; readonly group: number } | undefined => {
  try {
    const [, program = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const [state, parent, group] = rest.split(' ');
    return state === 'Z' ? undefined : { program, parent: Number(parent), group: Number(group) };
  } catch {
    return undefined;
  }
};

/** Processes of a pod, which is a process group. */
export const processesOf = (group: number): readonly { readonly pid: number; readonly program: string }[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const stat = statOf(pid);
      return stat?.group === group ? [{ pid: Number(pid), program: stat.program }] : [];
    });

/** Inodes of the sockets that a process has open. */
export const openSockets = (pid: number): readonly string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone already, which is as good.
  }
};

const parsed = (text: string): Line => {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return { unreadable: text };
  }
};

/** What the manifest of a server that mounts a device adds to no capability at all. */
const capabilities = (() => {
  const keys = { machine: undefined, targets: [{ claim: 'web-1', volumeMode: 'Block' }], keys: 'keys' } as const;
  const pod = copyServerPod({ namespace: 'shop', name: 'move', uid: 'uid' }, keys, 'image');
  return at(pod, 'spec', 'containers', '0', 'securityContext', 'capabilities', 'add') as readonly string[];
})();

/** What runs a program as a container runtime runs that of a pod. Only root can; anybody else runs it as himself. */
const confined = (user: number, program: string): readonly string[] => {
  if (process.getuid?.() !== 0) return [];
  const added = user === 0 && program === 'server' ? capabilities : [];
  const bounds = ['-all', ...added.map((name) => `+${name.toLowerCase()}`)].join(',');
  const ids = [`--reuid=${user}`, `--regid=${podUser}`, `--groups=${podUser}`];
  return ['setpriv', ...ids, `--bounding-set=${bounds}`, '--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs'];
};

const startPod = (
  root: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  user = podUser,
): RunningPod => {
  const [program = '', ...words] = [...confined(user, args[0] ?? ''), process.execPath, main, ...args];
  const child: ChildProcess = spawn(program, words, {
    env: { PATH: process.env['PATH'], TRANSSHIP_ROOT: root, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own, as a container is.
    detached: true,
  });
  const pid = child.pid ?? 0;
  const lines: Line[] = [];
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => lines.push(parsed(line)));
  const ended = once(child, 'close').then(([code, name]) => {
    const message = `${root}/dev/termination-log`;
    const words = existsSync(message) ? readFileSync(message, 'utf8') : '';
    return { code: (code ?? name) as number | NodeJS.Signals, record: words === '' ? {} : parsed(words) };
  });
  const killAll = () => signal(-pid, 'SIGKILL');
  afterwards(async () => {
    killAll();
    await ended;
    await until(() => processesOf(pid).length === 0);
  });
  return {
    pid,
    root,
    lines,
    stdout: () => text,
    printed: (matches) =>
      until(
        () => lines.find(matches),
        () => text,
      ),
    running: (program) =>
      until(
        () => processesOf(pid).find((each) => each.program === program)?.pid,
        () => text,
      ),
    kill: (name) => signal(pid, name),
    hangUp: () => child.stdout?.destroy(),
    killAll,
    ended,
  };
};

/** A folder for a pod. As kubelets leave it: everybody can write to /tmp and the termination log. */
const podRoot = (): string => {
  const root = folder();
  for (const each of ['', 'tmp', 'dev', 'secrets', 'disks', 'devices']) {
    mkdirSync(`${root}/${each}`, { recursive: true });
    if (process.getuid?.() === 0) chownSync(`${root}/${each}`, podUser, podUser);
  }
  writeFileSync(`${root}/dev/termination-log`, '');
  chmodSync(`${root}/dev/termination-log`, 0o666);
  chmodSync(root, 0o755);
  chmodSync(`${root}/tmp`, 0o777);
  return root;
};

/** Mounts a Secret as kubelets do: links to links. */
const mountSecret = (root: string, values: Readonly<Record<string, string>>): void => {
  mkdirSync(`${root}/secrets/..1`);
  symlinkSync('..1', `${root}/secrets/..data`);
  for (const [name, value] of Object.entries(values)) {
    writeFileSync(`${root}/secrets/..1/${name}`, value);
    chmodSync(`${root}/secrets/..1/${name}`, 0o440);
    if (process.getuid?.() === 0) chownSync(`${root}/secrets/..1/${name}`, 0, podUser);
    symlinkSync(`..data/${name}`, `${root}/secrets/${name}`);
  }
};

/** Makes the folder of a claim in a pod: root's, and open to the group, as kubelets leave it to an fsGroup. */
export const mount = (root: string, name: string, kind: DiskKind): string => {
  const path = `${root}/${kind === 'file' ? 'disks' : 'devices'}/${name}`;
  mkdirSync(path);
  if (process.getuid?.() !== 0) return path;
  chownSync(path, 0, podUser);
  chmodSync(path, 0o2775);
  return path;
};

let pods = 0;
/** An address of this machine that no other test has. */
export const freeAddress = (): string => {
  pods += 1;
  return `127.${1 + ((process.pid >> 8) % 250)}.${process.pid % 256}.${pods % 256}`;
};

export interface ClientOptions {
  readonly module?: string;
  readonly source?: DiskKind;
  readonly target?: DiskKind;
  readonly psk?: string;
  readonly password?: string;
  readonly server?: string;
  readonly args?: readonly string[];
  /** A folder with programs that are found before those of the system. */
  readonly programs?: string;
  /** An earlier pod's folder: the same source, secrets and work files. */
  readonly root?: string;
  /** Puts the source where it belongs: into its folder, which is empty. */
  readonly disk?: (folder: string, root: string) => void;
}

/** Whether somebody listens. */
const answers = async (host: string, port: number): Promise<boolean> => {
  const socket = connect({ host, port });
  const heard = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return heard;
};

/** What belongs to one transfer group: keys, an address, the targets. `user` runs the pods. */
export const transferGroup = (address = freeAddress(), user = podUser) => {
  const psk = randomBytes(32).toString('hex');
  const passwords = new Map<string, string>();
  const passwordOf = (name: string): string => {
    const password = passwords.get(name) ?? randomBytes(24).toString('base64url');
    passwords.set(name, password);
    return password;
  };
  const root = podRoot();
  const kinds: string[] = [];
  let mounted = false;

  /** Starts the server with the targets made so far; again after it has ended. */
  const server = (args: readonly string[] = []): RunningPod => {
    if (!mounted) {
      const names = kinds.map((kind) => kind.replace(/^--disk=(.*):.*$/, '$1'));
      mountSecret(root, { psk, ...Object.fromEntries(names.map((name) => [`password.${name}`, passwordOf(name)])) });
    }
    mounted = true;
    return startPod(root, ['server', ...kinds, ...args], { POD_IP: address }, user);
  };

  return {
    address,
    psk,
    passwordOf,
    serverRoot: root,
    /** A target that is a file system; the path of its image, which does not exist yet. */
    fileTarget: (name: string): string => {
      kinds.push(`--disk=${name}:file`);
      return `${mount(root, name, 'file')}/disk.img`;
    },
    deviceTarget: (name: string, bytes: number, lies?: string): Device => {
      kinds.push(`--disk=${name}:block`);
      return device(`${mount(root, name, 'block')}/disk`, bytes, lies);
    },
    server,
    /** The same; it can be reached when this has settled. */
    serving: async (args: readonly string[] = []): Promise<RunningPod> => {
      const pod = server(args);
      await until(() => answers(address, rsyncPort));
      await until(() => answers(address, controlPort));
      return pod;
    },
    client: (options: ClientOptions = {}): RunningPod => {
      const { module = 'web-1', source = 'file', target = 'file', args = [] } = options;
      const clientRoot = options.root ?? podRoot();
      if (options.root === undefined) {
        mountSecret(clientRoot, { psk: options.psk ?? psk, password: options.password ?? passwordOf(module) });
        options.disk?.(mount(clientRoot, module, source), clientRoot);
      }
      const given = [`--server=${options.server ?? address}`, `--module=${module}`];
      const kinds = [`--source=${source}`, `--target=${target}`];
      const environment = options.programs === undefined ? {} : { PATH: `${options.programs}:${process.env['PATH']}` };
      return startPod(clientRoot, ['client', ...given, ...kinds, ...args], environment, user);
    },
  };
};

/** Puts an image with this content into a claim. */
export const holding =
  (content: Buffer) =>
  (path: string): void =>
    image(`${path}/disk.img`, content);

/** Makes the claim a device with this content. */
export const deviceHolding =
  (content: Buffer) =>
  (path: string): void =>
    device(`${path}/disk`, content.length).write(content);
