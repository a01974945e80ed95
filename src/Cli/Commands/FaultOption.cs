using System.CommandLine;
using ShmCheck.Faults;
using ShmCheck.Faults.Building;
using ShmCheck.Faults.Patches;

namespace ShmCheck.Cli.Commands;

/// <summary>The option <c>--fault</c>: the implementation with seeded faults in it as the system.
/// </summary>
internal static class FaultOption
{
    public static Option<string[]> Create() => new("--fault")
    {
        Description = "instead of a system: the implementation with this seeded fault in it; "
            + "repeatable",
        HelpName = "ID",
    };

    /// <summary>The fault of that name.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static Fault Find(string id) =>
        FaultCatalogue.All.FirstOrDefault(f => f.Id == id) ?? throw new BadInputException(
            $"there is no fault '{id}'; faults --list names them");

    /// <summary>Plants the faults that were asked for; null when none was.</summary>
    /// <exception cref="BadInputException">There is no such fault, a system is given too, or a
    /// fault cannot be planted.</exception>
    public static FaultySystem? Plant(
        ParseResult parsed, Option<string[]> option, Option<string> system)
    {
        if (parsed.GetValue(option) is not [_, ..] ids)
        {
            return null;
        }

        if (parsed.GetResult(system) is { Implicit: false })
        {
            throw new BadInputException("expected either --system or --fault, not both");
        }

        try
        {
            return FaultySystem.Of([.. ids.Select(Find)]);
        }
        catch (FaultException problem)
        {
            throw new BadInputException(problem.Message);
        }
    }
}
