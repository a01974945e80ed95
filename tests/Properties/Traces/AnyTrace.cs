using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using ShmCheck.Abi;
using ShmCheck.Harness.Generating;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Properties.Traces;

/// <summary>A trace of lines of every form, which need not make sense together.</summary>
public sealed record AnyTrace(Trace Trace)
{
    private static readonly string[] FieldNames =
    [
        .. Enum.GetNames<GlobalField>(), .. Enum.GetNames<NamespaceField>(),
        .. Enum.GetNames<SegmentField>(), .. Enum.GetNames<ProcessField>(),
        .. Enum.GetNames<MappingField>(), "shmmax", "shmmin", "shmmni", "shmseg", "shmall",
    ];

    /// <summary>Traces as FsCheck draws them.</summary>
    public static Arbitrary<AnyTrace> Traces() => Arb.From(
        from machine in MachineGenerator.Machines(SystemCapabilities.AllProfiles)
        from seed in Gen.Choose(int.MinValue, int.MaxValue)
        from length in Gen.Choose(0, 30)
        select Draw(machine, new Random64((ulong)seed), length));

    /// <inheritdoc/>
    public override string ToString() => TracePrinter.Print(Trace);

    /// <summary>A trace that depends on a seed alone.</summary>
    public static AnyTrace Of(ulong seed, int length) =>
        Draw(RandomRun.Machine(seed), new Random64(seed), length);

    private static AnyTrace Draw(MachineConfig machine, Random64 random, int length)
    {
        var calls = new AnyCall(random);
        MachineConfig odd = random.OneIn(2) ? machine : machine with
        {
            PageSize = 4096ul << random.Below(5),
            HugePageSize = 1ul << (17 + random.Below(17)),
            OtherHugePageSizes = random.OneIn(2) ? [] : [1ul << 34],
            HugePages = 0,
        };
        return new AnyTrace(new Trace(
            odd, [.. Enumerable.Range(0, length).Select(_ => Line(random, calls))]));
    }

    private static TraceLine Line(Random64 random, AnyCall calls) => random.Below(8) switch
    {
        0 => new TraceComment(random.Of<string?>(
            [null, "", " diverges: \t é |", "# p1 fork() = p2", " trailing "])),
        1 => new TracedObservation(Rows(random)),
        _ => TracedCall(random, calls.Draw()),
    };

    /// <summary>A call that fails or is not said to succeed binds nothing; neither does one that
    /// succeeds with a number.</summary>
    private static TracedCall TracedCall(Random64 random, Call call)
    {
        ExpectedReply? reply = Reply(random, call);
        return new TracedCall(
            reply is null or ExpectedReply.Bound ? call : AnyCall.WithoutResult(call), reply);
    }

    private static ExpectedReply? Reply(Random64 random, Call call) => random.Below(6) switch
    {
        0 => null,
        1 => new ExpectedReply.Bound(),
        2 => new ExpectedReply.Error(
            random.Of<Errno>([.. Enum.GetValues<Errno>().Where(e => e != Errno.None)])),
        3 => new ExpectedReply.Raised(
            random.Of<Signal>([Signal.SIGBUS, Signal.SIGSEGV, Signal.SIGKILL])),
        _ => new ExpectedReply.Value(
            AnyCall.Binds(call) ? random.Next() : Value(random),
            random.OneIn(2) ? [] : Fields(random)),
    };

    private static ImmutableArray<ExpectedRow> Rows(Random64 random)
    {
        var rows = ImmutableArray.CreateBuilder<ExpectedRow>();
        int count = 1 + random.Below(4);
        for (int i = 0; i < count; i++)
        {
            // Figures of the machine that stand side by side are one row.
            bool afterMachine = rows is [.., { Kind: ExpectedRowKind.Global }];
            var kind = (ExpectedRowKind)(afterMachine ? 1 + random.Below(4) : random.Below(5));
            rows.Add(new ExpectedRow(
                kind, kind == ExpectedRowKind.Global ? 0 : 1 + random.Below(2000),
                kind == ExpectedRowKind.Mapping ? AnyCall.Address(random) : default,
                Fields(random)));
        }

        return rows.ToImmutable();
    }

    private static ImmutableArray<ExpectedField> Fields(Random64 random) =>
    [
        .. Enumerable.Range(0, 1 + random.Below(4)).Select(_ =>
            new ExpectedField(random.Of<string>(FieldNames), Value(random))),
    ];

    private static ExpectedValue Value(Random64 random) => random.Below(5) switch
    {
        0 => ExpectedValue.Set,
        1 => new ProcessHandle(1 + random.Below(1_000_000)),
        2 => new SegmentHandle(1 + random.Below(1_000_000)),
        3 => (ulong)random.Below(100),
        // Ids are written as signed numbers, and so are 64 bits that are none.
        _ => random.Next() >> 1,
    };
}
