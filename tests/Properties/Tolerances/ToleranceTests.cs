using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Tolerances;
using ShmCheck.Properties.Ledgers;

namespace ShmCheck.Properties.Tolerances;

public sealed class ToleranceTests
{
    private static readonly Call[] Calls =
    [
        new ShmGet(ProcessHandle.First, ShmKey.Private, 4096, new ShmGetFlags(0x180),
            new SegmentHandle(1)),
        new ShmAt(ProcessHandle.First, new SegmentHandle(1), AddressRef.Null, default,
            new MappingHandle(1)),
    ];

    private static readonly Precision Batch = new(PrecisionKind.Bounded, 8, "mm/vmstat.c")
    {
        Tolerance = "percpu-batch",
        Reason = "counters are summed up in batches",
    };

    [Theory]
    [InlineData(8, true)]
    [InlineData(9, false)]
    public void A_figure_within_its_tolerance_is_let_pass_and_counted(int off, bool passes)
    {
        RunRecord record = Run(new Lies
        {
            Capabilities = With(GlobalField.Shmem, Batch),
            Figures = seen => seen.Global[0][(int)GlobalField.Shmem] +=
                seen.Segments.Count > 0 ? (ulong)off : 0,
        });

        Assert.Equal(passes, record.Divergence is null);
        Assert.Equal(passes ? 2 : 0, record.Allowances.Tolerated.GetValueOrDefault("percpu-batch"));
    }

    [Fact]
    public void A_figure_that_is_right_needs_no_tolerance()
    {
        RunRecord record = Run(new Lies { Capabilities = With(GlobalField.Shmem, Batch) });

        Assert.Null(record.Divergence);
        Assert.Empty(record.Allowances.Tolerated);
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(int.MaxValue, false)]
    public void A_late_figure_is_waited_for_and_counted_and_must_come(int looks, bool passes)
    {
        int left = looks;
        RunRecord record = Run(new Lies
        {
            Capabilities = With(GlobalField.SwapUsed, new Precision(
                PrecisionKind.Eventual, 0, "mm/swapfile.c") { Tolerance = "late" }),
            Figures = seen => seen.Global[0][(int)GlobalField.SwapUsed] +=
                seen.Segments.Count > 0 && left-- > 0 ? 1ul : 0,
        });

        Assert.Equal(passes, record.Divergence is null);
        Assert.Equal(1, record.Allowances.Tolerated["late"]);
    }

    [Fact]
    public void A_late_figure_is_waited_for_behind_a_known_divergence_too()
    {
        int left = 3;
        var lies = new Lies
        {
            HugeRssFactor = 512,
            Figures = seen => seen.Global[0][(int)GlobalField.SwapUsed] +=
                seen.Segments.Count > 0 && seen.Segments[0][(int)SegmentField.rss] > 0
                    && left-- > 0 ? 1ul : 0,
        };
        var late = new Precision(PrecisionKind.Eventual, 0, "mm/swapfile.c");
        ISystemFactory system = LyingSystem.Factory(lies with
        {
            Capabilities = c => lies.Capabilities(c) with
            {
                Precisions = c.Precisions.SetItem(GlobalField.SwapUsed, late),
            },
        });
        var record = new RunRecord();
        Harness.Ledgers.Ledger linux = Harness.Ledgers.KnownLedgers.Of("linux");
        new SequenceRunner(system, null, linux).Run(
            linux.Rows[0].Trace.Machine, new CallList([.. linux.Rows[0].Trace.Calls]), record);

        Assert.Null(record.Divergence);
        Assert.Equal(1, record.Allowances.Tolerated["SwapUsed"]);
    }

    [Fact]
    public void An_inexact_figure_without_a_source_is_refused()
    {
        ISystemFactory system = LyingSystem.Factory(new Lies
        {
            Capabilities = With(GlobalField.Shmem, new Precision(PrecisionKind.Bounded, 8)),
        });

        Assert.Throws<ArgumentException>(() => new SequenceRunner(system));
    }

    [Fact]
    public void A_tolerance_is_named_after_its_field_unless_it_has_a_name()
    {
        SystemCapabilities capabilities = SpecSystem.Factory.Capabilities with
        {
            Precisions = ImmutableDictionary<Enum, Precision>.Empty
                .Add(GlobalField.Shmem, Batch)
                .Add(GlobalField.Committed_AS, Batch with { Tolerance = "", Reason = "" })
                .Add(GlobalField.SwapUsed, Precision.NotObservable("none")),
        };

        Assert.Equal(
            [("Committed_AS", "mm/vmstat.c"),
                ("percpu-batch", "counters are summed up in batches")],
            Tolerance.Of(capabilities).Select(t => (t.Id, t.Reason)));
    }

    private static Func<SystemCapabilities, SystemCapabilities> With(
        GlobalField field, Precision precision) => honest => honest with
        {
            Precisions = honest.Precisions.SetItem(field, precision),
        };

    private static RunRecord Run(Lies lies)
    {
        var record = new RunRecord();
        new SequenceRunner(LyingSystem.Factory(lies)).Run(
            new MachineConfig { Frames = 64, SwapSlots = 8 }, new CallList(Calls), record,
            endProcesses: false);
        return record;
    }
}
