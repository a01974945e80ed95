using System.CommandLine;
using ShmCheck.Abi.Recordings;
using ShmCheck.Cli.Presentation;
using ShmCheck.Harness.Oracle;
using ShmCheck.Systems.Strace;

namespace ShmCheck.Cli.Commands;

/// <summary><c>oracle</c>: judges recorded logs.</summary>
internal static class OracleCommand
{
    public static Command Create()
    {
        var logs = new Argument<string[]>("log")
        {
            Description = "logs of strace; the start state comes from LOG.meta.json",
            Arity = ArgumentArity.OneOrMore,
        };
        var together = new Option<bool>("--together")
        {
            Description = "the logs are the files of one run (strace -ff)",
        };
        var openWorld = new Option<bool>("--open-world")
        {
            Description = "processes that the log does not show may use the IPC namespace",
        };
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command("oracle", "Says whether the specification explains strace logs.")
        {
            logs, together, openWorld, json,
        };
        command.SetAction(parsed => Run(
            parsed.GetValue(logs)!, parsed.GetValue(together),
            new OracleOptions { OpenWorld = parsed.GetValue(openWorld) }, parsed.GetValue(json)));
        return command;
    }

    private static int Run(string[] logs, bool together, OracleOptions options, bool json)
    {
        var results = new List<OracleJson>();
        foreach (string[] files in together ? [logs] : logs.Select(log => new[] { log }))
        {
            OracleVerdict verdict = Judge(files, options);
            string name = verdict.File is { } file && files.Contains(file) ? file : files[0];
            results.Add(OracleJson.Of(name, verdict));
            if (!json)
            {
                OracleText.Print(together ? string.Join(' ', files) : name, verdict);
            }
        }

        if (json)
        {
            Json.Print(new { Version = Json.Version, Files = results });
        }

        return results.Exists(result => result.Verdict == OracleJson.Unreadable)
            ? ExitCode.BadInput
            : results.Exists(result => result.Verdict == OracleJson.Unexplained)
                ? ExitCode.Diverges : ExitCode.Conforms;
    }

    private static OracleVerdict Judge(string[] files, OracleOptions options)
    {
        try
        {
            return LogOracle.Judge(Load(files), options);
        }
        catch (StraceFormatException problem)
        {
            return Unreadable(
                problem.Error.File, problem.Error.Line, $"expected {problem.Error.Expected}");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return Unreadable(files[0], 0, problem.Message);
        }
    }

    private static StraceLog Load(string[] files)
    {
        if (files.Length == 1)
        {
            return StraceLog.Load(files[0]);
        }

        string? sidecar = files.Select(SidecarFile.PathFor).OfType<string>().FirstOrDefault();
        StraceSidecar? read = sidecar is null ? null : SidecarFile.Load(sidecar);
        return StraceLog.Load(files, read);
    }

    private static OracleVerdict Unreadable(string file, int line, string reason) => new()
    {
        Verdict = LogVerdict.Unreadable, File = file, Line = line, Reason = reason,
    };
}
