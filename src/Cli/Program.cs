using System.CommandLine;
using ShmCheck.Cli.Commands;
using ShmCheck.Systems.Live;

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
            ReplayCommand.Create(),
            ShrinkCommand.Create(),
            SpecCommand.Create(),
            SystemsCommand.Create(),
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
        catch (SystemUnavailableException problem)
        {
            Console.Error.WriteLine($"shmcheck: {problem.Message}");
            return ExitCode.SystemLost;
        }
        finally
        {
            SystemRegistry.Release();
        }
    }
}
