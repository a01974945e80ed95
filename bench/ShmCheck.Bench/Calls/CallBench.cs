using ShmCheck.Abi;
using ShmCheck.Bench.Reporting;
using ShmCheck.Systems.Live;

namespace ShmCheck.Bench.Calls;

/// <summary>Calls on our machine beside the same calls on the running kernel: row K1.</summary>
internal sealed class CallBench(BenchOptions options)
{
    private const double Gate = 30;
    private const int Turns = 5;
    private const int WarmUpTurns = 40;

    /// <summary>Nanoseconds.</summary>
    private const double WarmUpTurn = 10e6;

    /// <summary>Our turns are as long as the kernel's, so that what disturbs a turn weighs as
    /// much in both, but no longer than so many nanoseconds.</summary>
    private const double LongestTurn = 50e6;

    public void Run(TextWriter output)
    {
        var table = new Table(
            "row", "mix", "calls", "ours ns/call", "kernel ns/call", "times", "min-max", "goal");
        string program = KernelLoop.Build();
        WarmUp();
        foreach (Mix mix in Mix.All)
        {
            try
            {
                using LinuxSession? session = Prepare(mix);
                Row(table, program, mix);
            }
            catch (SystemUnavailableException lack)
            {
                table.Add(
                    "", mix.Name, $"{mix.Ops.Length}", "", "not measured", "", "", lack.Message);
            }
        }

        output.WriteLine("Calls, by turns with the running kernel:\n");
        output.WriteLine(table);
    }

    /// <summary>Makes the calls of all mixes by turns: the compiler lays out the code for the calls
    /// that it sees first, and it is to be for all mixes, not for the first one.</summary>
    private static void WarmUp()
    {
        OurLoop[] loops = [.. Mix.All.Select(mix => new OurLoop(mix))];
        for (int turn = 0; turn < WarmUpTurns; turn++)
        {
            foreach (OurLoop loop in loops)
            {
                loop.Run(WarmUpTurn);
            }
        }
    }

    /// <summary>Gives the running kernel the swap and the huge pages that a mix needs, until it
    /// is disposed of.</summary>
    private static LinuxSession? Prepare(Mix mix)
    {
        if (mix.SwapSlots + mix.HugePages == 0)
        {
            return null;
        }

        LinuxSession session = LinuxSession.Open(
            new LinuxOptions { LockPatience = TimeSpan.FromMinutes(5) });
        Lack? lack = mix.SwapSlots > 0 ? session.Features.Swap : session.Features.HugePages;
        if (lack is not null)
        {
            session.Dispose();
            throw new SystemUnavailableException($"{lack.What}: {lack.Why}");
        }

        session.Prepare(new MachineConfig
        {
            SwapSlots = mix.SwapSlots, HugePages = mix.HugePages,
        });
        return session;
    }

    private void Row(Table table, string program, Mix mix)
    {
        var ours = new OurLoop(mix);
        using var kernel = new KernelLoop(program, mix);
        double turn = 0;
        SideBySide sides = SideBySide.Measure(
            options.Rounds, Turns, () => { }, () => ours.Run(turn), () =>
            {
                double each = kernel.Run();
                turn = Math.Min(each * mix.Ops.Length, LongestTurn);
                return each;
            });
        double times = 1 / sides.Ratio;
        double goal = mix.Name switch { "cycle" => 300, "random mix" => 50, _ => Gate };
        string verdict = times >= goal ? "reached"
            : times >= Gate ? $"MISSED, gate {Gate} reached" : "MISSED";
        table.Add("K1", mix.Name, $"{mix.Ops.Length}", $"{sides.Ours:0.0}", $"{sides.Theirs:0}",
            $"{times:0}", $"{1 / sides.Most:0}-{1 / sides.Least:0}", $">= {goal} {verdict}");
    }
}
