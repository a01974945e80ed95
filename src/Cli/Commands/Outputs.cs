namespace ShmCheck.Cli.Commands;

/// <summary>Writes what commands are asked to write.</summary>
internal static class Outputs
{
    /// <summary>Writes a file.</summary>
    /// <exception cref="BadInputException">It cannot be written.</exception>
    public static void Write(string path, string text)
    {
        try
        {
            File.WriteAllText(path, text);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{path}: cannot be written: {problem.Message}");
        }
    }

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
}
