using System.CommandLine;
using ShmCheck.Cli.Presentation;
using ShmCheck.Harness.Results;

namespace ShmCheck.Cli.Commands;

/// <summary><c>merge</c>: joins what the shards of a campaign have left.</summary>
internal static class MergeCommand
{
    public static Command Create()
    {
        var directories = new Argument<string[]>("DIR")
        {
            Description = "output directories of check --shard",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string?>("--out")
        {
            Description = "directory for the joined result and its traces",
        };
        var json = new Option<bool>("--json") { Description = "print one JSON object" };
        var command = new Command(
            "merge", "Joins the results of shards: findings by fingerprint, coverage, counts.")
        {
            directories, output, json,
        };
        command.SetAction(parsed => Run(
            parsed.GetValue(directories)!, parsed.GetValue(output), parsed.GetValue(json)));
        return command;
    }

    private static int Run(string[] directories, string? output, bool json)
    {
        var shards = new List<Shard>();
        var problems = new List<string>();
        foreach (string directory in directories)
        {
            try
            {
                shards.Add(new Shard(directory, ResultFile.Read(directory)));
            }
            catch (FormatException problem)
            {
                problems.Add(problem.Message);
            }
        }

        if (shards.Count == 0)
        {
            throw new BadInputException(string.Join("; ", problems));
        }

        CampaignResult result = Join(shards, problems);
        result = output is null ? result : Keep(result, directories, output);
        if (json)
        {
            Json.Print(result);
        }
        else
        {
            CheckSummary.Print(result);
        }

        foreach (string problem in result.Problems ?? [])
        {
            Console.Error.WriteLine($"shmcheck: {problem}");
        }

        return result.Problems is not null ? ExitCode.BadInput
            : result.Divergences.IsEmpty ? ExitCode.Conforms : ExitCode.Diverges;
    }

    private static CampaignResult Join(List<Shard> shards, List<string> unreadable)
    {
        try
        {
            return ShardMerge.Of(shards, unreadable);
        }
        catch (FormatException problem)
        {
            throw new BadInputException(problem.Message);
        }
    }

    /// <summary>Writes the result and copies of its traces.</summary>
    /// <returns>The result with the copies.</returns>
    private static CampaignResult Keep(
        CampaignResult result, string[] directories, string output)
    {
        if (directories.Any(directory => Path.GetFullPath(directory) == Path.GetFullPath(output)))
        {
            throw new BadInputException(
                $"--out: {output} is one of the shards; expected another directory");
        }

        Outputs.Prepare(output);
        Outputs.RemoveResult(output);
        result = result with
        {
            Divergences =
            [
                .. result.Divergences.Select(found => found with
                {
                    Trace = Path.Combine(output, Path.GetFileName(found.Trace!)),
                }),
            ],
        };
        foreach (DivergenceResult found in result.Divergences)
        {
            Outputs.Write(found.Trace!, found.Text);
        }

        Outputs.WriteResult(output, result);
        return result;
    }
}
