using System.Collections.Immutable;
using System.CommandLine;
using ShmCheck.Cli.Presentation;
using ShmCheck.Systems.Live;

namespace ShmCheck.Cli.Commands;

/// <summary><c>systems</c>: what can run here, and what each lacks.</summary>
internal static class SystemsCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command(
            "systems", "Lists the systems that can run here, and what mends what they lack.")
        {
            json,
        };
        command.SetAction(parsed => Run(parsed.GetValue(json)));
        return command;
    }

    private static int Run(bool json)
    {
        ImmutableArray<SystemStatus> all = [.. SystemRegistry.Own, .. SystemSurvey.Look()];
        if (json)
        {
            Json.Print(new { Version = Json.Version, Systems = all });
            return ExitCode.Conforms;
        }

        foreach (SystemStatus system in all)
        {
            string state = !system.CanRun ? "cannot run"
                : system.Lacks.IsEmpty ? "runs" : "runs in part";
            Console.WriteLine($"{system.Name,-16} {state,-13} {system.Description}");
            foreach (Lack lack in system.Lacks)
            {
                Console.WriteLine($"  without {lack.What}: {lack.Why}\n    to mend it: {lack.Remedy}");
            }
        }

        return ExitCode.Conforms;
    }
}
