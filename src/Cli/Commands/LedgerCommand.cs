using System.CommandLine;
using ShmCheck.Abi;
using ShmCheck.Cli.Presentation;
using ShmCheck.Harness.Ledgers;
using ShmCheck.Systems.Live;

namespace ShmCheck.Cli.Commands;

/// <summary><c>ledger</c>: known divergences of systems.</summary>
internal static class LedgerCommand
{
    public static Command Create(SystemRegistry systems)
    {
        var system = new Option<string?>("--system")
        {
            Description = "the system whose ledger to show; all ledgers when not given",
        };
        var verify = new Option<bool>("--verify")
        {
            Description = "replay the trace of every row on its system",
        };
        var programs = new Option<bool>("--programs")
        {
            Description = "with --verify: run the C program of every row on its system, where it "
                + "must fail, and on the running kernel, where it must pass",
        };
        var compare = new Option<bool>("--compare")
        {
            Description = "show all ledgers side by side, as a table in Markdown",
        };
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command("ledger", "Shows and verifies known divergences of systems.")
        {
            system, verify, programs, compare, json,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(compare))
            {
                Console.Out.Write(LedgerComparison.ToMarkdown(
                    [.. KnownLedgers.Systems.Select(KnownLedgers.OwnOf)]));
                return ExitCode.Conforms;
            }

            IReadOnlyList<string> names =
                parsed.GetValue(system) is { } one ? [one] : KnownLedgers.Systems;
            if (parsed.GetValue(programs))
            {
                return parsed.GetValue(verify) ? Prove(names, systems, parsed.GetValue(json))
                    : throw new BadInputException("--programs: expected --verify beside it");
            }

            return parsed.GetValue(verify) ? Verify(names, systems, parsed.GetValue(json))
                : Show(names, parsed.GetValue(json));
        });
        return command;
    }

    private static int Show(IReadOnlyList<string> systems, bool json)
    {
        List<(string System, Ledger Ledger)> ledgers =
            [.. systems.Select(name => (name, KnownLedgers.OwnOf(name)))];
        if (json)
        {
            Json.Print(LedgerJson.Of(ledgers.SelectMany(
                l => l.Ledger.Rows.Select(row => LedgerRowJson.Of(l.System, row)))));
            return ExitCode.Conforms;
        }

        foreach ((string system, Ledger ledger) in ledgers)
        {
            Console.Out.Write(ledger.Rows.IsEmpty
                ? $"{system}: no known divergences\n" : LedgerPrinter.Print(ledger));
        }

        return ExitCode.Conforms;
    }

    private static int Verify(IReadOnlyList<string> names, SystemRegistry systems, bool json) =>
        Judge(names, systems, json, (name, system) =>
            LedgerVerification.Run(Shown(name), system).Select(r => new JudgedRow(
                name, r.Row, LedgerRowJson.Text(r.Verdict), r.Detail, r.Passes)));

    /// <summary>The rows that a system shows: those over the running kernel hide some of its own.
    /// </summary>
    private static Ledger Shown(string system) => KnownLedgers.IsLinux(system)
        ? KnownLedgers.Of(system) : KnownLedgers.OwnOf(system);

    private static int Prove(IReadOnlyList<string> names, SystemRegistry systems, bool json) =>
        Judge(names, systems, json, (name, system) => Prove(system).Select(
            r => new JudgedRow(name, r.Row, LedgerRowJson.Text(r.Verdict), r.Detail, r.Passes)));

    private static int Judge(
        IReadOnlyList<string> names, SystemRegistry systems, bool json,
        Func<string, ISystemFactory, IEnumerable<JudgedRow>> judge)
    {
        var rows = new List<JudgedRow>();
        SystemUnavailableException? missing = null;
        foreach (string name in names)
        {
            ISystemFactory system = systems.WithLedger(name);
            try
            {
                foreach (JudgedRow row in judge(name, system))
                {
                    rows.Add(row);
                    if (!json)
                    {
                        Print(row);
                    }
                }
            }
            catch (SystemUnavailableException problem) when (names.Count > 1)
            {
                Console.Error.WriteLine($"shmcheck: {name} is not verified: {problem.Message}");
                missing = problem;
            }
            finally
            {
                // The next one may want the machine that this one has.
                (system as IDisposable)?.Dispose();
            }
        }

        if (rows.Count == 0 && missing is not null)
        {
            throw missing;
        }

        if (json)
        {
            Json.Print(LedgerJson.Of(rows.Select(r => LedgerRowJson.Of(r.System, r.Row) with
            {
                Verdict = r.Verdict,
                Detail = r.Detail,
            })));
        }

        return rows.TrueForAll(r => r.Passes) ? ExitCode.Conforms : ExitCode.Diverges;
    }

    /// <summary>The rows of a system are proven on it and on the running kernel, those of Linux
    /// on the kernel that the system is.</summary>
    private static IEnumerable<ProvenRow> Prove(ISystemFactory system)
    {
        using var runner = ProgramRunner.For(system.Name);
        Ledger own = KnownLedgers.OwnOf(system.Name);
        if (own.System != KnownLedgers.Linux)
        {
            using var host = ProgramRunner.For(KnownLedgers.Linux);
            foreach (LedgerRow row in own.Rows)
            {
                yield return ProgramVerification.Run(row, Runs(runner), Runs(host));
            }
        }

        if (KnownLedgers.IsLinux(system.Name))
        {
            KernelVersion kernel = KernelOf(system);
            foreach (LedgerRow row in KnownLedgers.OwnOf(KnownLedgers.Linux).Rows)
            {
                string? other = system.Name == KnownLedgers.Linux ? null
                    : LedgerVerification.ReasonToPassOver(row, system.Capabilities);
                yield return other is null
                    ? ProgramVerification.Run(row, kernel, Runs(runner))
                    : new ProvenRow(row, ProgramVerdict.OtherKernel, other);
            }
        }
    }

    private static ProgramRun Runs(ProgramRunner runner) => (program, swapSlots) =>
    {
        (int code, string told) = runner.Run(program, swapSlots);
        return new ProgramOutcome(code, told);
    };

    private static KernelVersion KernelOf(ISystemFactory system)
    {
        string? release = system.Name == KnownLedgers.Linux
            ? LinuxFactory.RunningRelease : system.Capabilities.KernelRelease;
        return KernelVersion.TryParse(release ?? "", out KernelVersion version)
            ? version : throw new SystemUnavailableException("the kernel names no release");
    }

    private static void Print(JudgedRow row)
    {
        string detail = row.Detail.Length == 0 ? "" : $": {row.Detail}";
        Console.WriteLine($"{row.System} {row.Row.Name}: {row.Verdict}{detail}");
    }

    private sealed record JudgedRow(
        string System, LedgerRow Row, string Verdict, string Detail, bool Passes);
}
