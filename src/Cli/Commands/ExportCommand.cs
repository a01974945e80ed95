using System.Collections.Immutable;
using System.CommandLine;
using ShmCheck.Abi;
using ShmCheck.Harness.Exporting;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Cli.Commands;

/// <summary><c>export</c>: a trace as a program or a report that others can use without this
/// one.</summary>
internal static class ExportCommand
{
    private const string C = "c";
    private const string Markdown = "markdown";

    public static Command Create(SystemRegistry systems)
    {
        var file = new Argument<string>("file") { Description = "a trace (.shm)" };
        var to = new Option<string>("--to")
        {
            Description = "c: a program that re-creates the trace; markdown: a bug report",
            Required = true,
            HelpName = $"{C}|{Markdown}",
        };
        var system = new Option<string?>("--system")
        {
            Description = "for a report: run the trace on this system, and tell what it does",
        };
        var output = new Option<string?>("-o") { Description = "file to write; standard output" };
        var command = new Command(
            "export", "Writes a trace as a C program of its own, or as a bug report.")
        {
            file, to, system, output,
        };
        command.SetAction(parsed => Run(
            parsed.GetValue(file)!, parsed.GetValue(to)!,
            parsed.GetValue(system) is { } name ? systems.Find(name) : null,
            parsed.GetValue(output)));
        return command;
    }

    private static int Run(
        string file, string to, ISystemFactory? system, string? output)
    {
        if (to is not (C or Markdown))
        {
            throw new BadInputException($"--to: expected {C} or {Markdown}, not '{to}'");
        }

        Trace trace = Inputs.ReadTrace(file);
        string text;
        try
        {
            string program = CProgram.Of(trace, out ImmutableArray<string> unread);
            foreach (string name in unread)
            {
                Console.Error.WriteLine(
                    $"shmcheck: {name} is not checked: other programs change it");
            }

            text = to == C ? program : BugReport.Of(trace, program, system);
        }
        catch (CannotExportException problem)
        {
            throw new BadInputException($"{file}: cannot be exported: {problem.Message}");
        }

        if (output is null)
        {
            Console.Out.Write(text);
        }
        else
        {
            Outputs.Write(output, text);
        }

        return ExitCode.Conforms;
    }
}
