using System.CommandLine;
using ShmCheck.Cli.Commands;
using ShmCheck.Cli.Presentation;
using ShmCheck.Harness.Checking;
using ShmCheck.Systems.Live;

namespace ShmCheck.Cli;

/// <summary>The <c>shmcheck</c> command.</summary>
internal static class Program
{
    /// <summary>Runs a command line.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="systems">The systems that it can name.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static int Run(string[] arguments, SystemRegistry systems)
    {
        var root = new RootCommand(
            "Checks shared-memory accounting (nattch, RSS, swap, huge page reservations) against "
            + "an executable specification of Linux.")
        {
            CheckCommand.Create(systems),
            ExploreCommand.Create(systems),
            OracleCommand.Create(),
            ReplayCommand.Create(systems),
            ShrinkCommand.Create(systems),
            MergeCommand.Create(),
            SpecCommand.Create(),
            ExportCommand.Create(systems),
            FaultsCommand.Create(),
            LedgerCommand.Create(systems),
            ReviewCommand.Create(),
            SystemsCommand.Create(systems),
        };
        bool json = arguments.Contains("--json");
        ParseResult parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            return Fail(ExitCode.BadInput, Problem(root, parsed), json);
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = Console.Out,
                Error = Console.Error,
            });
        }
        catch (BadInputException problem)
        {
            return Fail(ExitCode.BadInput, problem.Message, json);
        }
        catch (SystemLostException problem)
        {
            return Fail(ExitCode.SystemLost, problem.Message, json);
        }
        catch (SystemUnavailableException problem)
        {
            return Fail(ExitCode.SystemLost, problem.Message, json);
        }
        finally
        {
            systems.Release();
        }
    }

    private static string Problem(RootCommand root, ParseResult parsed)
    {
        if (parsed.CommandResult.Command != root)
        {
            string problems = string.Join("; ", parsed.Errors.Select(error => error.Message));
            return $"{problems} (shmcheck {parsed.CommandResult.Command.Name} --help says what is "
                + "expected)";
        }

        string names = string.Join(", ", root.Subcommands.Select(command => command.Name));
        return parsed.UnmatchedTokens is [string first, ..]
            ? $"there is no command '{first}'; expected one of {names}"
            : $"expected a command: one of {names}";
    }

    private static int Fail(int code, string problem, bool json)
    {
        if (json)
        {
            Json.Print(new ErrorJson(problem));
        }

        Console.Error.WriteLine($"shmcheck: {problem}");
        return code;
    }

    private static int Main(string[] arguments) => Run(arguments, SystemRegistry.BuiltIn);
}
