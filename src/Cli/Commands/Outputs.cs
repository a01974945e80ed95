using ShmCheck.Harness.Results;

namespace ShmCheck.Cli.Commands;

/// <summary>Writes what commands are asked to write.</summary>
internal static class Outputs
{
    /// <summary>Writes a file.</summary>
    /// <exception cref="BadInputException">It cannot be written.</exception>
    public static void Write(string path, string text) =>
        Try(path, () => File.WriteAllText(path, text));

    /// <summary>Writes the result of a campaign.</summary>
    /// <exception cref="BadInputException">It cannot be written.</exception>
    public static void WriteResult(string directory, CampaignResult result) => Try(
        Path.Combine(directory, ResultFile.Name), () => ResultFile.Write(directory, result));

    /// <summary>Removes the result of an earlier campaign.</summary>
    /// <exception cref="BadInputException">It cannot be removed.</exception>
    public static void RemoveResult(string directory) => Try(
        Path.Combine(directory, ResultFile.Name), () => ResultFile.Remove(directory));

    /// <summary>Sees to it that a directory is there.</summary>
    /// <exception cref="BadInputException">It cannot be made.</exception>
    public static void Prepare(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(
                $"--out: {directory}: no directory can be made there: {problem.Message}");
        }
    }

    private static void Try(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be written: {problem.Message}");
        }
    }
}
