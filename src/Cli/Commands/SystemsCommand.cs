using System.Collections.Immutable;
using System.CommandLine;
using ShmCheck.Abi;
using ShmCheck.Cli.Presentation;
using ShmCheck.Systems.Live;
using ShmCheck.Systems.Machines;

namespace ShmCheck.Cli.Commands;

/// <summary><c>systems</c>: what can run here, and what each lacks.</summary>
internal static class SystemsCommand
{
    public static Command Create(SystemRegistry systems)
    {
        var fetch = new Option<string?>("--fetch")
        {
            Description = "get what is missing to run this system, from Debian: programs are "
                + "installed, kernels only unpacked",
            HelpName = "SYSTEM",
        };
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command(
            "systems", "Lists the systems that can run here, and what mends what they lack.")
        {
            fetch, json,
        };
        command.SetAction(parsed => parsed.GetValue(fetch) is { } name
            ? Fetch(systems.Find(name)) : Run(parsed.GetValue(json)));
        return command;
    }

    private static int Fetch(ISystemFactory system)
    {
        if (system is not GuestFactory guest)
        {
            throw new BadInputException($"--fetch: {system.Name} has nothing to fetch; expected a "
                + "virtual machine, such as qemu:6.1");
        }

        guest.Fetch();
        return ExitCode.Conforms;
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
                Console.WriteLine(
                    $"  without {lack.What}: {lack.Why}\n    to mend it: {lack.Remedy}");
            }
        }

        return ExitCode.Conforms;
    }
}
