using System.CommandLine;
using ShmCheck.Abi;
using ShmCheck.Cli.Presentation;
using ShmCheck.Harness.Exploring;

namespace ShmCheck.Cli.Commands;

/// <summary><c>explore</c>: all sequences of calls of a small scope.</summary>
internal static class ExploreCommand
{
    /// <summary>Where findings and unfinished explorations go unless told otherwise.</summary>
    private const string DefaultOutput = "findings";

    /// <summary>More threads than this help no machine.</summary>
    private const int MostJobs = 1024;

    private sealed record Request(
        Scope Scope, ISystemFactory System, ExplorationOptions Options, bool Resume,
        string Output, bool Json)
    {
        /// <summary>Where an exploration that did not end is kept.</summary>
        public string Unfinished => Path.Combine(
            Output, $"explore-{System.Name}-{Scope.Name}"
                + (Options.Symmetry ? "" : "-full") + ".unfinished");
    }

    public static Command Create(SystemRegistry systems)
    {
        var scope = new Option<string>("--scope")
        {
            Description = $"what to cover: {ScopeNames}",
            DefaultValueFactory = _ => "tiny",
        };
        var system = new Option<string>("--system")
        {
            Description = $"the system to check: {systems.Names}",
            DefaultValueFactory = _ => systems.Default,
        };
        Option<int?> depth = NumberOption.Optional<int>(
            "--depth", "calls in the longest sequences; no limit when not given", 1, int.MaxValue);
        Option<int?> jobs = NumberOption.Optional<int>(
            "--jobs", "threads; one for each processor when not given", 1, MostJobs);
        var memory = new Option<string>("--memory")
        {
            Description = "memory for states, for instance 512M or 4G",
            DefaultValueFactory = _ => "4G",
        };
        var resume = new Option<bool>("--resume")
        {
            Description = "go on where an exploration was interrupted or ran out of memory",
        };
        var full = new Option<bool>("--no-reduction")
        {
            Description = "without symmetry and partial-order reduction",
        };
        var output = new Option<string>("--out")
        {
            Description = "directory for findings and for what --resume needs",
            DefaultValueFactory = _ => DefaultOutput,
        };
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command(
            "explore", "Checks a system with all sequences of calls of a small scope.")
        {
            scope, system, depth, jobs, memory, resume, full, output, json,
        };
        command.SetAction(parsed => Run(new Request(
            FindScope(parsed.GetValue(scope)!), systems.Find(parsed.GetValue(system)!),
            new ExplorationOptions
            {
                Depth = parsed.GetValue(depth),
                Jobs = parsed.GetValue(jobs) ?? Environment.ProcessorCount,
                Memory = Inputs.Memory(parsed.GetValue(memory)!),
                Symmetry = !parsed.GetValue(full),
                PartialOrder = !parsed.GetValue(full),
            },
            parsed.GetValue(resume), parsed.GetValue(output)!, parsed.GetValue(json))));
        return command;
    }

    private static string ScopeNames => string.Join(", ", Scope.All.Select(s => s.Name));

    private static Scope FindScope(string name) =>
        Scope.All.FirstOrDefault(scope => scope.Name == name) ?? throw new BadInputException(
            $"--scope: there is no scope '{name}'; expected one of {ScopeNames}");

    private static int Run(Request request)
    {
        Outputs.Prepare(request.Output);
        using var interruption = new Interruption();
        using var progress = new ExploreProgress();
        Explorer explorer = Start(request, progress.Listener, interruption.Token);
        ExplorationReport report = Explore(explorer);
        progress.Clear();
        string? kept = Keep(request, explorer, report);
        IReadOnlyList<string> traces = ExploreSummary.WriteTraces(report, request.Output);
        if (request.Json)
        {
            Json.Print(ExploreJson.Of(report, traces, kept));
        }
        else
        {
            ExploreSummary.Print(report, traces, kept);
        }

        return report.End == ExplorationEnd.Interrupted ? ExitCode.Interrupted
            : !report.Violations.IsEmpty ? ExitCode.Diverges
            : report.End == ExplorationEnd.Memory ? ExitCode.BadInput : ExitCode.Conforms;
    }

    private static Explorer Start(
        Request request, IProgress<ExplorationProgress>? progress, CancellationToken interrupted)
    {
        try
        {
            var explorer = new Explorer(
                request.System, request.Scope, request.Options, progress, interrupted);
            if (request.Resume)
            {
                explorer.Resume(request.Unfinished);
            }

            return explorer;
        }
        catch (FormatException problem)
        {
            throw new BadInputException(problem.Message);
        }
        catch (IOException problem)
        {
            throw new BadInputException($"--resume: nothing to go on with: {problem.Message}");
        }
    }

    private static ExplorationReport Explore(Explorer explorer)
    {
        try
        {
            return explorer.Run();
        }
        catch (NotSupportedException problem)
        {
            throw new BadInputException(problem.Message);
        }
    }

    /// <summary>Keeps what was not finished, and removes what was kept once it is. Where a call
    /// does not come back, threads are still at it, and there is nothing to go on with.</summary>
    private static string? Keep(Request request, Explorer explorer, ExplorationReport report)
    {
        if (report.Closed)
        {
            File.Delete(request.Unfinished);
            return null;
        }

        if (report.End == ExplorationEnd.Hung)
        {
            return null;
        }

        explorer.Save(request.Unfinished);
        return request.Unfinished;
    }
}
