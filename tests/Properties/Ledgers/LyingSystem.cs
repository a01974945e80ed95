using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Replaying;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Properties.Ledgers;

/// <summary>The specification as a system that shows some figures otherwise.</summary>
internal sealed class LyingSystem : ISystemUnderTest
{
    private readonly SpecSystem _honest;
    private readonly Lies _lies;

    private LyingSystem(MachineConfig config, Lies lies)
    {
        _honest = (SpecSystem)SpecSystem.Factory.Start(config);
        _lies = lies;
    }

    public int FirstPid => _honest.FirstPid;

    public long Clock => _honest.Clock;

    public static ISystemFactory Factory(Lies lies) => new LyingFactory(lies);

    /// <summary>Makes calls on such a system, and judges them.</summary>
    public static RunRecord Judge(
        string calls, Lies lies, Ledger? known = null, string machine = "frames=64") =>
        TraceReplay.Run(
            TraceParser.Parse(
                "calls",
                $"# shmcheck trace 1\nmachine profile=6.18 page=4096 {machine}\n{calls}\n"),
            Factory(lies), known).Record;

    public Reply Execute(Call call, Bindings bindings)
    {
        if (_lies.LeftOut == call.Kind)
        {
            throw new CallNotPossibleException("left out");
        }

        if (_lies.Died == call.Kind)
        {
            return new Reply.Lost("died sig 6");
        }

        if (_lies.Refused is { } refused && refused.Call == call.Kind)
        {
            return Reply.Of(refused.Errno);
        }

        Reply reply = _honest.Execute(_lies.Instead(call), bindings);
        bindings.TryResolve(
            call is ProcessCall made ? made.Caller : ProcessHandle.First, out int pid);
        return reply switch
        {
            Reply.Value { Data: ShmTotals totals } value => value with
            {
                Data = totals with
                {
                    Resident = totals.Resident + Excess(
                        _honest.State.Tasks[(ulong)pid].Namespace),
                },
            },
            Reply.Error error when _lies.Errno is { } lie && lie.Right == error.Errno
                && call.Kind == lie.Call => Reply.Of(lie.Wrong),
            _ => reply,
        };
    }

    public void Observe(Observation observation)
    {
        _honest.Observe(observation);
        for (int at = 0; at < observation.Segments.Count; at++)
        {
            Span<ulong> row = observation.Segments[at];
            ulong right = row[(int)SegmentField.rss];
            bool huge = IsHuge((int)row[0], (int)row[1]);
            row[(int)SegmentField.rss] = huge ? right * _lies.HugeRssFactor : right;
            row[(int)SegmentField.nattch] += row[(int)SegmentField.nattch] >= 2
                ? _lies.MoreAttaches : 0;
        }

        for (int at = 0; at < observation.Namespaces.Count; at++)
        {
            Span<ulong> row = observation.Namespaces[at];
            row[(int)NamespaceField.shm_rss] += Excess((int)row[0]);
        }

        _lies.Figures?.Invoke(observation);
    }

    public void Dispose() => _honest.Dispose();

    private bool IsHuge(int ns, int id) => _honest.State.Segments.Rows.Any(
        s => s.Object.IsHuge && s.Namespace == ns && s.Id.Value == id);

    /// <summary>What the huge segments of a namespace add too much to its resident pages.
    /// </summary>
    private ulong Excess(int ns) => _honest.State.Segments.Rows
        .Where(s => s.Namespace == ns && s.Object.IsHuge)
        .Aggregate(0ul, (sum, s) => sum + s.Object.Resident
            * (s.Object.PageSize / _honest.State.Config.PageSize) * (_lies.HugeRssFactor - 1));

    private sealed class LyingFactory(Lies lies) : ISystemFactory
    {
        public string Name => "linux";

        public SystemCapabilities Capabilities { get; } =
            lies.Capabilities(SpecSystem.Factory.Capabilities);

        public ISystemUnderTest Start(MachineConfig config) => new LyingSystem(config, lies);
    }
}

/// <summary>What a system shows otherwise.</summary>
internal sealed record Lies
{
    /// <summary>Resident pages of huge segments, times this.</summary>
    public ulong HugeRssFactor { get; init; } = 1;

    /// <summary>Added to nattch of a segment that is attached twice or more.</summary>
    public ulong MoreAttaches { get; init; }

    /// <summary>An errno in place of another.</summary>
    public (CallKind Call, Errno Right, Errno Wrong)? Errno { get; init; }

    /// <summary>A call that fails, and does nothing.</summary>
    public (CallKind Call, Errno Errno)? Refused { get; init; }

    /// <summary>A call within which its process ends.</summary>
    public CallKind? Died { get; init; }

    /// <summary>What it makes of a call.</summary>
    public Func<Call, Call> Instead { get; init; } = call => call;

    /// <summary>A call that cannot be made as things stand.</summary>
    public CallKind? LeftOut { get; init; }

    /// <summary>Any other change of the figures.</summary>
    public Action<Observation>? Figures { get; init; }

    /// <summary>A change of a figure of all segments.</summary>
    public static Action<Observation> OfSegments(
        SegmentField field, Func<ulong, ulong> change) => seen =>
        {
            for (int at = 0; at < seen.Segments.Count; at++)
            {
                ref ulong cell = ref seen.Segments[at][(int)field];
                cell = change(cell);
            }
        };

    /// <summary>What the system says of itself.</summary>
    public Func<SystemCapabilities, SystemCapabilities> Capabilities { get; init; } =
        honest => honest with
        {
            KernelRelease = "6.18.44",
            Profiles = [KernelProfile.Linux6_18],
            Adapt = machine => machine with { HugePageSize = 2ul << 20 },
        };
}
