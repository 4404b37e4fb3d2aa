// The metrics as Prometheus reads them.
import { describe, expect, test } from 'vitest';
import { metricFamilies } from '../../src/observe/metricFamilies.ts';
import { createMetrics, type Observed } from '../../src/observe/metrics.ts';

const nothing: Observed = {
  virtualMachines: {},
  virtualMachinePhases: [],
  storageMigrations: {},
  copies: { running: 0, bytes: 0, expectedBytes: 0, bytesPerSecond: 0 },
  watches: [],
};

const metricsOf = (observe: () => Observed = () => nothing) =>
  createMetrics({ version: '1.2.3', observe, processMetrics: false });

/** Sample lines of one metric, comments left out. */
async function samples(metrics: ReturnType<typeof metricsOf>, name: string): Promise<readonly string[]> {
  const { body } = await metrics.exposition();
  return body.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

describe('names', () => {
  test.each(Object.values(metricFamilies))(
    '$name follows the conventions of Prometheus',
    ({ name, type, labels, help }) => {
      expect(name).toMatch(/^transship_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(help).toMatch(/^[A-Z].*[.]$/);
      for (const label of labels) {
        expect(label).toMatch(/^[a-z]+(_[a-z]+)*$/);
        // The number of series must not grow with the cluster.
        expect(label).not.toMatch(/^(vm|name|namespace|uid|claim|pod|node)$/);
      }
    },
  );

  test('every family is on the page with its type and help', async () => {
    const { body, contentType } = await metricsOf().exposition();
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    for (const { name, type, help } of Object.values(metricFamilies)) {
      expect(body).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    }
  });

  test('nothing is on the page that was not declared', async () => {
    const { body } = await metricsOf().exposition();
    const typed = [...body.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    expect(typed.sort()).toEqual(
      Object.values(metricFamilies)
        .map(({ name }) => name)
        .sort(),
    );
  });

  test('the metrics of the process are there unless they are left out', async () => {
    const { body } = await createMetrics({ version: '1', observe: () => nothing }).exposition();
    expect(body).toMatch(/^process_resident_memory_bytes [1-9]/m);
    expect(body).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
    expect((await metricsOf().exposition()).body).not.toMatch(/^(process|nodejs)_/m);
  });
});

describe('gauges', () => {
  test('are read once for each scrape and show what is true then', async () => {
    const live = [1, 2];
    let reads = 0;
    const metrics = metricsOf(() => {
      reads += 1;
      return { ...nothing, virtualMachines: { live: live.shift() ?? 0 } };
    });
    expect(reads).toBe(0);
    expect(await samples(metrics, 'transship_virtual_machines')).toContain('transship_virtual_machines{mode="live"} 1');
    expect(await samples(metrics, 'transship_virtual_machines')).toContain('transship_virtual_machines{mode="live"} 2');
    expect(reads).toBe(2);
  });

  test('show every mode, also those nothing is in', async () => {
    expect(
      await samples(
        metricsOf(() => ({ ...nothing, virtualMachines: { hold: 4 } })),
        'transship_virtual_machines',
      ),
    ).toEqual([
      'transship_virtual_machines{mode="live"} 0',
      'transship_virtual_machines{mode="offline"} 0',
      'transship_virtual_machines{mode="hold"} 4',
      'transship_virtual_machines{mode="done"} 0',
    ]);
  });

  test('tell of the copies that run, all together', async () => {
    const copies = { running: 2, bytes: 300, expectedBytes: 1000, bytesPerSecond: 70 };
    const { body } = await metricsOf(() => ({ ...nothing, copies })).exposition();
    expect(body.split('\n').filter((line) => line.startsWith('transship_offline_cop'))).toEqual([
      'transship_offline_copies_running 2',
      'transship_offline_copy_position_bytes 300',
      'transship_offline_copy_size_bytes 1000',
      'transship_offline_copy_bytes_per_second 70',
    ]);
  });

  test('forget a phase that nothing is in any more', async () => {
    const readings: Observed[] = [
      {
        ...nothing,
        virtualMachinePhases: [{ kind: 'offline', phase: 'Copying', count: 3 }],
        storageMigrations: { Progressing: 1 },
      },
      { ...nothing, storageMigrations: { Succeeded: 1 } },
    ];
    const metrics = metricsOf(() => readings.shift() ?? nothing);
    const first = (await metrics.exposition()).body;
    expect(first).toContain('transship_virtual_machine_phases{kind="offline",phase="Copying"} 3\n');
    expect(first).toContain('transship_storage_migrations{phase="Progressing"} 1\n');
    const second = (await metrics.exposition()).body;
    expect(second).not.toContain('Copying');
    expect(second).not.toContain('Progressing');
    expect(second).toContain('transship_storage_migrations{phase="Succeeded"} 1\n');
  });

  test('show each watch: synced, age, objects and malformed ones', async () => {
    const metrics = metricsOf(() => ({
      ...nothing,
      watches: [
        { kind: 'pods', synced: true, lastEventAgeSeconds: 1.5, objects: 20, malformed: 1 },
        { kind: 'virtualmachines', synced: false, lastEventAgeSeconds: undefined, objects: 0, malformed: 0 },
      ],
    }));
    const { body } = await metrics.exposition();
    expect(body).toContain('transship_watch_synced{kind="pods"} 1\n');
    expect(body).toContain('transship_watch_synced{kind="virtualmachines"} 0\n');
    expect(body).toContain('transship_watch_last_event_age_seconds{kind="pods"} 1.5\n');
    expect(body).not.toContain('transship_watch_last_event_age_seconds{kind="virtualmachines"}');
    expect(body).toContain('transship_store_objects{kind="pods"} 20\n');
    expect(body).toContain('transship_malformed_objects{kind="pods"} 1\n');
  });

  test('a reader that throws fails the scrape, not the recording', async () => {
    const metrics = metricsOf(() => {
      throw new Error('store not there');
    });
    metrics.commandDone('revert', 'done');
    await expect(metrics.exposition()).rejects.toThrow('store not there');
  });

  test('the build is named', async () => {
    expect(await samples(metricsOf(), 'transship_build_info')).toEqual([
      `transship_build_info{version="1.2.3",node_version="${process.versions.node}"} 1`,
    ]);
  });
});

describe('counters', () => {
  test('count commands by name and outcome', async () => {
    const metrics = metricsOf();
    metrics.commandDone('stopCopy', 'done');
    metrics.commandDone('stopCopy', 'done');
    metrics.commandDone('stopCopy', 'unknown');
    expect(await samples(metrics, 'transship_commands_total')).toEqual([
      'transship_commands_total{command="stopCopy",outcome="done"} 2',
      'transship_commands_total{command="stopCopy",outcome="unknown"} 1',
    ]);
  });

  test('count cancels by cause, watch events by kind and type, and restarts', async () => {
    const metrics = metricsOf();
    metrics.cancelled('vmStarted');
    metrics.watchEvent('pods', 'applied');
    metrics.watchEvent('pods', 'bookmark');
    metrics.watchRestarted('pods');
    const { body } = await metrics.exposition();
    expect(body).toContain('transship_cancels_total{cause="vmStarted"} 1\n');
    expect(body).toContain('transship_watch_events_total{kind="pods",type="applied"} 1\n');
    expect(body).toContain('transship_watch_events_total{kind="pods",type="bookmark"} 1\n');
    expect(body).toContain('transship_watch_restarts_total{kind="pods"} 1\n');
  });

  test('a mode that stays the same is no switch', async () => {
    const metrics = metricsOf();
    metrics.modeSwitched('live', 'hold');
    metrics.modeSwitched('hold', 'hold');
    expect(await samples(metrics, 'transship_mode_switches_total')).toEqual([
      'transship_mode_switches_total{from="live",to="hold"} 1',
    ]);
  });

  test('two sets of metrics share nothing', async () => {
    const one = metricsOf();
    const other = metricsOf();
    one.cancelled('vmStarted');
    expect(await samples(other, 'transship_cancels_total')).toEqual([]);
  });
});

describe('reaction times', () => {
  test('fall into buckets around the targets of 5 ms and 25 ms', async () => {
    const metrics = metricsOf();
    metrics.reacted(0.004);
    metrics.reacted(0.02);
    const { body } = await metrics.exposition();
    expect(body).toContain('transship_reaction_seconds_bucket{le="0.0025"} 0\n');
    expect(body).toContain('transship_reaction_seconds_bucket{le="0.005"} 1\n');
    expect(body).toContain('transship_reaction_seconds_bucket{le="0.025"} 2\n');
    expect(body).toContain('transship_reaction_seconds_count 2\n');
  });

  test('a clock that was set back counts as no time, and nonsense is left out', async () => {
    const metrics = metricsOf();
    metrics.reacted(-3);
    metrics.reacted(Number.NaN);
    const { body } = await metrics.exposition();
    expect(body).toContain('transship_reaction_seconds_sum 0\n');
    expect(body).toContain('transship_reaction_seconds_count 1\n');
  });
});

describe('the number of series', () => {
  test('is bounded whatever is put in', async () => {
    const metrics = metricsOf(() => ({
      ...nothing,
      virtualMachinePhases: Array.from(
        { length: 1000 },
        (_, i) => ({ kind: 'live', phase: `Phase${i}`, count: 1 }) as const,
      ),
    }));
    for (let i = 0; i < 1000; i += 1) {
      metrics.commandDone(`command${i}`, 'done');
    }
    const commands = await samples(metrics, 'transship_commands_total');
    expect(commands).toHaveLength(65);
    expect(commands).toContain('transship_commands_total{command="other",outcome="done"} 936');
    const phases = await samples(metrics, 'transship_virtual_machine_phases');
    expect(phases).toHaveLength(65);
    expect(phases).toContain('transship_virtual_machine_phases{kind="live",phase="other"} 936');
  });

  test('a text that is no name becomes other', async () => {
    const metrics = metricsOf();
    metrics.cancelled('pods "web-1" not found');
    expect(await samples(metrics, 'transship_cancels_total')).toEqual(['transship_cancels_total{cause="other"} 1']);
  });
});
