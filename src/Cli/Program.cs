using System.CommandLine;
using ShmCheck.Cli.Commands;

namespace ShmCheck.Cli;

/// <summary>The <c>shmcheck</c> command.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        var root = new RootCommand(
            "Checks shared-memory accounting (nattch, RSS, swap, huge page reservations) against "
            + "an executable specification of Linux.")
        {
            CheckCommand.Create(),
            OracleCommand.Create(),
            ReplayCommand.Create(),
            ShrinkCommand.Create(),
            SpecCommand.Create(),
        };
        ParseResult parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                Console.Error.WriteLine($"shmcheck: {error.Message}");
            }

            Console.Error.WriteLine("shmcheck: try --help");
            return ExitCode.BadInput;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
        }
        catch (BadInputException problem)
        {
            Console.Error.WriteLine($"shmcheck: {problem.Message}");
            return ExitCode.BadInput;
        }
    }
}
