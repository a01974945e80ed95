using System.Buffers;
using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Exploring;

/// <summary>What a lying system does wrong.</summary>
/// <param name="Name">In a word.</param>
/// <param name="Calls">Calls in the shortest sequence of the scope <c>tiny</c> that shows it.
/// </param>
/// <param name="Leaks">How much one step adds to what has leaked.</param>
/// <param name="Lies">Makes figures wrong, given what has leaked.</param>
public sealed record Lie(
    string Name, int Calls, Func<Call, Observation, Observation, ulong> Leaks,
    Action<Observation, ulong> Lies)
{
    /// <summary>One of each sort: of a figure, of a transition, of a combination of figures.
    /// </summary>
    public static ImmutableArray<Lie> All { get; } =
    [
        // shmget, shmat, fork
        new("a segment with two attaches has three", 3, (_, _, _) => 0, (seen, _) =>
        {
            for (int row = 0; row < seen.Segments.Count; row++)
            {
                ref ulong nattch = ref seen.Segments[row][(int)SegmentField.nattch];
                nattch += nattch == 2 ? 1ul : 0;
            }
        }),

        // shmget, shmat, IPC_RMID, shmdt
        new("the last detach forgets to count the segment out", 4,
            (call, before, after) => call is ShmDt
                ? (ulong)(before.Segments.Count - after.Segments.Count) : 0,
            (seen, leaked) =>
            {
                if (seen.Namespaces.Count > 0)
                {
                    seen.Namespaces[0][(int)NamespaceField.used_ids] += leaked;
                }
            }),

        // shmget, shmat, store, reclaim, store
        new("a page that comes back keeps its slot", 5,
            (call, before, after) => call is Store or Load
                ? before.Global[0][(int)GlobalField.SwapUsed]
                    - after.Global[0][(int)GlobalField.SwapUsed]
                : 0,
            (seen, leaked) => seen.Global[0][(int)GlobalField.SwapUsed] += leaked),

        // shmget, shmat, store, fork, store
        new("a page that two processes map counts twice", 5, (_, _, _) => 0, (seen, _) =>
        {
            ulong mapped = 0;
            for (int row = 0; row < seen.Processes.Count; row++)
            {
                mapped += seen.Processes[row][(int)ProcessField.RssShmem];
            }

            if (mapped > seen.Global[0][(int)GlobalField.Shmem])
            {
                seen.Global[0][(int)GlobalField.Shmem] = mapped;
            }
        }),

        // shmget, shmat, store, fork, exit_group of the first
        new("a process that ends takes away pages that it maps", 5,
            (call, before, after) => call is ExitGroup && after.Processes.Count > 0
                ? before.Processes[0][(int)ProcessField.RssShmem]
                    - Math.Min(before.Processes[0][(int)ProcessField.RssShmem],
                        after.Processes[0][(int)ProcessField.RssShmem])
                : 0,
            (seen, leaked) => seen.Global[0][(int)GlobalField.Shmem] -= Math.Min(
                leaked, seen.Global[0][(int)GlobalField.Shmem])),
    ];

    public override string ToString() => Name;
}

/// <summary>Starts the implementation with a lie about it.</summary>
internal sealed class LyingFactory(Lie lie) : ISystemFactory
{
    private readonly ImplFactory _honest = new();

    public string Name => "lying";

    public SystemCapabilities Capabilities => _honest.Capabilities;

    public ISystemUnderTest Start(MachineConfig config) =>
        new LyingSystem((ImplSystem)_honest.Start(config), lie);

    private sealed class LyingSystem(ImplSystem honest, Lie lie)
        : ISystemUnderTest, ICheckpointable
    {
        private readonly Stack<ulong> _marks = [];
        private readonly Observation _before = new();
        private readonly Observation _after = new();
        private ulong _leaked;

        public int FirstPid => honest.FirstPid;

        public long Clock => honest.Clock;

        public Reply Execute(Call call, Bindings bindings)
        {
            honest.Observe(_before);
            Reply reply = honest.Execute(call, bindings);
            honest.Observe(_after);
            _leaked += lie.Leaks(call, _before, _after);
            return reply;
        }

        public void Observe(Observation observation)
        {
            honest.Observe(observation);
            lie.Lies(observation, _leaked);
        }

        public void Mark()
        {
            _marks.Push(_leaked);
            honest.Mark();
        }

        public void RollBack()
        {
            _leaked = _marks.Pop();
            honest.RollBack();
        }

        public void Commit()
        {
            _marks.Pop();
            honest.Commit();
        }

        public void WriteCanonical(IBufferWriter<byte> bytes)
        {
            honest.WriteCanonical(bytes);
            bytes.Write([(byte)_leaked]);
        }

        public void WriteCanonical(
            IBufferWriter<byte> bytes, ReadOnlySpan<int> processes, ReadOnlySpan<int> segments)
        {
            honest.WriteCanonical(bytes, processes, segments);
            bytes.Write([(byte)_leaked]);
        }

        public byte[] Save() => honest.Save();

        public void Restore(ReadOnlySpan<byte> saved) => honest.Restore(saved);

        public void Dispose() => honest.Dispose();
    }
}
